// SPDX-License-Identifier: Apache-2.0
//
// An operator of ONNX's own domain: it takes the place of the compiler's Add.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

void declare(Declaration &d) {
  d.name("Add", "C = A + B of equal shapes").domain("");
  d.input("A", f16, {"N"}, {-1000, 1000});
  d.input("B", f16, {"N"}, {-1000, 1000});
  d.output("C", f16, {"N"});
  d.shape({{"N", 64}});
  d.tolerance(f16, 0, 0, "IEEE 754: one rounding to nearest even");
}

void kernel(const Kernel &k) {
  const Tensor a = k.tensor("A"), b = k.tensor("B"), c = k.tensor("C");
  for (Index i : k.blocks(ceilDiv(a.size(), 1024))) {
    const Index from = i * 1024, count = min(1024, a.size() - from);
    const Buffer x = k.ub(f16, {1024}, "x"), y = k.ub(f16, {1024}, "y");
    k.load(x, a.at(from), count);
    k.load(y, b.at(from), count);
    k.add(x, x, y, count);
    k.store(c.at(from), x, count);
  }
}

void reference(const Reference &r) {
  const HostArray a = r["A"], b = r["B"], c = r["C"];
  for (int64_t i = 0; i < c.size(); ++i) {
    c[i] = a[i] + b[i];
  }
}

} // namespace

KILN_OPERATOR(declare, kernel, reference)
