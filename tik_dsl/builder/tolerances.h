// SPDX-License-Identifier: Apache-2.0
//
// Which of an operator's tolerances counts for a shape.
//
//   const ToleranceDecl *t = toleranceOf(decl, isa::ElementType::F16, shape);
//   // |got - want| <= t->absolute + t->relative * |want|; exact without one
//
// A tolerance holds for a shape that has every value it names. Of those that
// hold the one that names the most attributes counts. checkTolerances() makes
// sure that there is one: where two could hold and neither names all that the
// other does, a third names what both name, so of the tolerances that hold one
// names whatever any of them names.
#pragma once

#include "tik_dsl/builder/operator_decl.h"

namespace kiln::tik {

/// False with messages where figures or values are impossible or the choice is
/// open.
bool checkTolerances(const OperatorDecl &decl, MessageList &messages);

/// Null: none is declared, outputs are exact.
const ToleranceDecl *toleranceOf(const OperatorDecl &decl,
                                 isa::ElementType type,
                                 const BoundShape &shape);

/// "f16", or "f16 with causal=0 softmax=f32".
std::string nameOf(const OperatorDecl &decl, const ToleranceDecl &tolerance);

} // namespace kiln::tik
