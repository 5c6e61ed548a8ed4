// SPDX-License-Identifier: Apache-2.0
//
// An operator whose kernel prints: in a model its lines come with the node.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

void declare(Declaration &d) {
  d.name("print_twice", "y = 2 x");
  d.input("x", f16, {"N"}).output("y", f16, {"N"}).shape({{"N", 64}});
  d.tolerance(f16, 0, 0, "a factor of two is exact");
}

void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  for (Index i : k.blocks(ceilDiv(x.size(), 1024))) {
    const Index count = min(1024, x.size() - i * 1024);
    const Buffer b = k.ub(f16, {1024}, "b");
    k.load(b, x.at(i * 1024), count);
    k.add(b, b, b, count);
    k.store(y.at(i * 1024), b, count);
    k.print("i = {d}, count = {d}", i, count);
  }
}

void reference(const Reference &r) {
  for (int64_t i = 0; i < r["y"].size(); ++i) {
    r["y"][i] = 2 * r["x"][i];
  }
}

} // namespace

KILN_OPERATOR(declare, kernel, reference)
