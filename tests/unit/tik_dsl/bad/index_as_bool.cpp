// SPDX-License-Identifier: Apache-2.0
//
// Must not compile: a run-time number as the condition of a C++ while.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

void kernel(const Kernel &k) {
  Index i = k.constant(4);
  while (i) {
    i = i - 1;
  }
}
