// SPDX-License-Identifier: Apache-2.0
//
// tanh over arrays. Private to isa/numerics; see vector_kernels.h.
#pragma once

#include "isa/codec/machine_types.h"

#include <cstddef>

namespace kiln::isa::numerics {

/// dst[i] = tanh(src[i]); F16, BF16 and F32.
void tanh(ElementType type, const void *src, void *dst, size_t n);

} // namespace kiln::isa::numerics
