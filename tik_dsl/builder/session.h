// SPDX-License-Identifier: Apache-2.0
//
// Session: one request to an operator's entry point, and the table it gets.
//
//   Session session(messages);
//   session.kernel = &builder; session.shape = &shape;
//   Status ok = session.call(entry, KILN_TIK_BUILD, "op.cpp");
//
// Exactly one of decl, kernel, host and knobs is set, by the verb; a call of
// another phase is mistake TIK505.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/support/status.h"
#include "tik_dsl/builder/call_watch.h"
#include "tik_dsl/builder/knobs.h"

#include <span>

namespace kiln::tik {

class KernelBuilder;

struct Session {
  explicit Session(MessageList &list) : messages(list) {}

  Status call(KilnTikEntry entry, KilnTikVerb verb, const std::string &file);
  /// The same of a verb that an operator need not know.
  Status ask(KilnTikEntry entry, KilnTikVerb verb, const std::string &file);

  /// Calls of one kernel; more are TIK123 and do nothing.
  static constexpr uint32_t kMostCalls = 1u << 18;

  /// The operator's code is behind this line.
  void note(const KilnTikLine *line);
  /// The last line noted; before the first: the operator's file.
  AuthorLine lastLine() const;

  MessageList &messages;
  std::string file{};
  CallState state{};
  CallWatch *watch = nullptr; // may be null
  uint32_t calls = 0;         // of the kernel
  OperatorDecl *decl = nullptr;
  KernelBuilder *kernel = nullptr;
  std::vector<KnobDecl> *knobs = nullptr;
  std::span<std::vector<double>> host;

  // What kernel and knobs depend on.
  const BoundShape *shape = nullptr;
  const OperatorDecl *op = nullptr;
  const isa::ArchSpec *arch = nullptr;
  uint32_t cores = 1;
  const KnobValues *setting = nullptr; // of the kernel: every knob
  std::vector<bool> isKnobRead;        // as many as the setting has
};

/// The table of a session, which must outlive it.
KilnTikTable tableOf(Session &session);

} // namespace kiln::tik
