// SPDX-License-Identifier: Apache-2.0
//
// Session: one request to an operator's entry point, and the table it gets.
//
//   Session session(messages);
//   session.kernel = &builder; session.shape = &shape;
//   Status ok = session.call(entry, KILN_TIK_BUILD, "op.cpp");
//
// Exactly one of decl, kernel and host is set, by the verb; a call of another
// phase is mistake TIK505.
#pragma once

#include "isa/support/status.h"
#include "tik_dsl/builder/operator_decl.h"

#include <span>

namespace kiln::tik {

class KernelBuilder;

struct Session {
  explicit Session(MessageList &list) : messages(list) {}

  Status call(KilnTikEntry entry, KilnTikVerb verb, const std::string &file);

  MessageList &messages;
  OperatorDecl *decl = nullptr;
  KernelBuilder *kernel = nullptr;
  const BoundShape *shape = nullptr;
  std::span<std::vector<double>> host;
};

/// The table of a session, which must outlive it.
KilnTikTable tableOf(Session &session);

} // namespace kiln::tik
