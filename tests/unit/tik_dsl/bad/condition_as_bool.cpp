// SPDX-License-Identifier: Apache-2.0
//
// Must not compile: a C++ if on a run-time condition.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

void kernel(const Kernel &k) {
  for (Index i : k.range(0, 16)) {
    if (i == 0) {
      k.barrier();
    }
  }
}
