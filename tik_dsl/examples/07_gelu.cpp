// SPDX-License-Identifier: Apache-2.0
//
// Example 7: GELU, y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
//
//   kiln test-op tik_dsl/examples/07_gelu.cpp
//
// Shown here: a formula of nine vector commands; two pieces of a tile take
// turns, so that the latency of one command is hidden behind the other's work.
#include "tik_dsl/api/tik.h"

#include <cmath>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("gelu", "x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))");
  d.input("x", f16, {"N"}, {-6, 6}).output("y", f16, {"N"});
  d.shape({{"N", 1 << 19}}).shape({{"N", 100000}});
  d.edge({{"N", 1}}).edge({{"N", 16385}}).edge({{"N", 32768}});
  d.tolerance(f16, 4e-3, 4e-3,
              "nine roundings to 11 bits; 1 + tanh cancels for x < 0");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t n = x.size(), half = 16384, tile = 2 * half;
  const int64_t share = alignUp(ceilDiv(n, k.cores()), tile);
  for (Index block : k.blocks(ceilDiv(n, share))) {
    const Index from = block * share, to = min(n, from + share);
    for (Index i : k.range(from, to, tile).buffers(2)) {
      const Index count = min(tile, to - i), first = min(half, count);
      const Index counts[2] = {first, count - first};
      const Buffer t = k.ub(f16, {tile}, "t"), u = k.ub(f16, {tile}, "u", 1);
      auto both = [&](auto &&command) {
        for (int64_t h : {0, 1}) {
          command(t.at(h * half), u.at(h * half), counts[h]);
        }
      };
      k.load(t, x.at(i), count);
      both([&](auto x, auto u, auto n) { k.mul(u, x, x, n); });
      both([&](auto, auto u, auto n) { k.muls(u, u, 0.044715, n); });
      both([&](auto, auto u, auto n) { k.adds(u, u, 1, n); });
      both([&](auto x, auto u, auto n) { k.mul(u, u, x, n); });
      both([&](auto, auto u, auto n) { k.muls(u, u, 0.7978845608, n); });
      both([&](auto, auto u, auto n) { k.tanh(u, u, n); });
      both([&](auto, auto u, auto n) { k.adds(u, u, 1, n); });
      both([&](auto x, auto u, auto n) { k.mul(x, x, u, n); });
      both([&](auto x, auto, auto n) { k.muls(x, x, 0.5, n); });
      k.store(y.at(i), t, count);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < y.size(); ++i) {
    const double v = x[i];
    y[i] = v / 2 *
           (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
