// SPDX-License-Identifier: Apache-2.0
//
// The knobs of an operator at one shape on one machine.
//
//   MessageList messages;
//   Result<std::vector<KnobDecl>> knobs = knobsOf(op, shape, k1, 1, messages);
//   Result<KnobValues> setting = resolveKnobs(op, shape, k1, 1, messages);
//   settingText(*setting);                      // "tileM=128,depth=2"
//
// What is legal together: tik_dsl/builder/knob_space.h.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/support/status.h"
#include "tik_dsl/builder/operator_decl.h"

#include <string>
#include <vector>

namespace kiln::tik {

class Operator;

struct KnobDecl {
  std::string name;
  std::vector<int64_t> values; // the first is the default
  AuthorLine line{};
};

/// Asks the operator; empty where it declares none. Mistakes in the
/// declaration are kInvalidArgument and in the list.
Result<std::vector<KnobDecl>> knobsOf(const Operator &op,
                                      const BoundShape &shape,
                                      const isa::ArchSpec &arch, uint32_t cores,
                                      MessageList &messages);

/// Every knob, in the order of the declaration: the value that the shape asks
/// for, or the default. kInvalidArgument: a name that is no knob, one twice, a
/// value that is not declared. Whether the values are legal together is not
/// looked at.
Result<KnobValues> resolveKnobs(const Operator &op, const BoundShape &shape,
                                const isa::ArchSpec &arch, uint32_t cores,
                                MessageList &messages);
/// The same where knobsOf() has been asked.
Result<KnobValues> resolveKnobs(const std::vector<KnobDecl> &knobs,
                                const Operator &op, const BoundShape &shape,
                                MessageList &messages);

/// "name=value,name=value"; empty without knobs.
std::string settingText(const KnobValues &setting);
/// "there are 'a', 'b'", or "there is none".
std::string knobNames(const KnobValues &knobs);

} // namespace kiln::tik
