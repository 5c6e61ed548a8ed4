// SPDX-License-Identifier: Apache-2.0
//
// An operator with a body and no kernel: the NPU's compiler makes one from it.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

void declare(Declaration &d) {
  d.name("body_only", "z = x * y");
  d.input("x", f16, {"N"}).input("y", f16, {"N"}).output("z", f16, {"N"});
  d.shape({{"N", 64}}).edge({{"N", 1}}).edge({{"N", 1000}});
  d.tolerance(f16, 0, 0, "IEEE 754: one rounding to nearest even");
  d.body(R"mlir(
    func.func @product(%x: tensor<?xf16>, %y: tensor<?xf16>) -> tensor<?xf16> {
      %z = arith.mulf %x, %y : tensor<?xf16>
      return %z : tensor<?xf16>
    }
  )mlir");
}

void reference(const Reference &r) {
  for (int64_t i = 0; i < r["z"].size(); ++i) {
    r["z"][i] = r["x"][i] * r["y"][i];
  }
}

} // namespace

KILN_OPERATOR(declare, nullptr, reference)
