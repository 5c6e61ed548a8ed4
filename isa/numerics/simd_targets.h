// SPDX-License-Identifier: Apache-2.0
//
// The instruction sets the kernels are compiled for: the baseline, AVX2 and
// AVX-512 on x86. Those between gain nothing here and would cost build time.
// Included before hwy/foreach_target.h.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
