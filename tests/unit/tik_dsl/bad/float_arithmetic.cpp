// SPDX-License-Identifier: Apache-2.0
//
// Must not compile: arithmetic of the control core on a float.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

void kernel(const Kernel &k) {
  const Buffer t = k.ub(f32, {8}, "t");
  const Scalar<float> x = k.readFloat<float>(t);
  const Index y = x + 1.5;
}
