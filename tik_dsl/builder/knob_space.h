// SPDX-License-Identifier: Apache-2.0
//
// The settings of an operator's knobs that a tuner may choose from.
//
//   ShapeCase shape{.settings = {{"M", 512}, {"N", 512}, {"K", 512}}};
//   Result<tuning::SearchSpace> space = searchSpace(op, shape, k1);
//   if (space->isLegal(setting))
//     compiler.compile(op, *op.bind(withSetting(shape, *space, setting)), ...);
//
// A setting is legal when the kernel builds with it: the kernel's function is
// run, every check of the builder is made, and the planner places the buffers.
// Nothing is written down twice, so a legal setting compiles, and one that is
// not is refused by compile() with the numbered messages that say why.
//
// Time: about what building takes without lowering, some tenths of a
// millisecond for a kernel of twenty commands.
#pragma once

#include "compiler/tuning/search_space.h"
#include "tik_dsl/builder/operator.h"

namespace kiln::tik {

/// The knobs at a shape (its own knobs are ignored) on a machine. The operator
/// must stay loaded as long as the result is used; isLegal may be called from
/// several threads. kInvalidArgument: shape or knobs are not as declared.
Result<tuning::SearchSpace> searchSpace(const Operator &op,
                                        const ShapeCase &shape,
                                        const isa::ArchSpec &arch,
                                        uint32_t cores = 1);

/// The shape with these knobs.
ShapeCase withSetting(ShapeCase shape, const tuning::SearchSpace &space,
                      const tuning::Setting &setting);

} // namespace kiln::tik
