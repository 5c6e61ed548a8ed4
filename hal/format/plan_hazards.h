// SPDX-License-Identifier: Apache-2.0
//
// Checks that a plan says its order: between two barriers no op writes bytes
// that another one touches.
#pragma once

#include "hal/format/package_model.h"

namespace kiln::hal {

/// kInvalidArgument names both ops and the bytes. Ranges of symbolic
/// expressions are not compared.
Status checkHazards(const FunctionModel &function);

} // namespace kiln::hal
