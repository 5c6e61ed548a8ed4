// SPDX-License-Identifier: Apache-2.0
//
// Example 7: GELU, y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
//
//   kiln test-op tik_dsl/examples/07_gelu.cpp
//
// Shown here: a formula of nine vector commands; two pieces of a tile take
// turns, so that the latency of one command is hidden behind the other's work;
// the same formula as a body, for the CPU device.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <cmath>

using namespace kiln::tik;

namespace {

// [body]
const Body kBody = R"mlir(
  #each = affine_map<(i) -> (i)>
  func.func @gelu(%x: tensor<{N}xf16>) -> tensor<{N}xf16> {
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %cubic = arith.constant 0.044715 : f32
    %root = arith.constant 0.7978845608 : f32
    %empty = tensor.empty() : tensor<{N}xf16>
    %y = linalg.generic {indexing_maps = [#each, #each],
                         iterator_types = ["parallel"]}
        ins(%x : tensor<{N}xf16>) outs(%empty : tensor<{N}xf16>) {
    ^bb0(%in: f16, %unused: f16):
      %v = arith.extf %in : f16 to f32
      %square = arith.mulf %v, %v : f32
      %a = arith.mulf %square, %cubic : f32
      %b = arith.addf %a, %one : f32
      %c = arith.mulf %v, %root : f32
      %d = arith.mulf %b, %c : f32
      %t = math.tanh %d : f32
      %u = arith.addf %t, %one : f32
      %h = arith.mulf %v, %half : f32
      %w = arith.mulf %h, %u : f32
      %out = arith.truncf %w : f32 to f16
      linalg.yield %out : f16
    } -> tensor<{N}xf16>
    return %y : tensor<{N}xf16>
  }
)mlir";
// [body]

// [declaration]
void declare(Declaration &d) {
  d.name("gelu", "x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))");
  d.input("x", f16, {"N"}, {-6, 6}).output("y", f16, {"N"});
  d.shape({{"N", 1 << 19}}).shape({{"N", 100000}});
  d.edge({{"N", 1}}).edge({{"N", 16385}}).edge({{"N", 32768}});
  d.tolerance(f16, 2e-3, 1e-3,
              "roundings to 11 bits that add up to 4 x 2^-11 of y; 1 + tanh "
              "cancels for x < 0: 2 x 2^-11");
  d.body(kBody);
}
// [declaration]

// [knobs]
void knobs(const Knobs &k) {
  const int64_t most = k.capacity(Space::ub) / (2 * 3);
  k.knob("part", 16384, doubling(1024).upTo(most));
  k.knob("parts", {2, 1, 3, 4});
  k.knob("slots", {2, 1, 3, 4});
}
// [knobs]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t n = x.size(), part = k.knob("part"), parts = k.knob("parts");
  const int64_t tile = parts * part, slots = k.knob("slots");
  const int64_t share = alignUp(ceilDiv(n, k.cores()), tile);
  for (Index block : k.blocks(ceilDiv(n, share))) {
    const Index from = block * share, to = min(n, from + share);
    for (Index i : k.range(from, to, tile).buffers(slots)) {
      const Index count = min(tile, to - i);
      const std::vector<Index> counts = tiles::split(k, count, part, parts);
      const Buffer t = k.ub(f16, {tile}, "t"), u = k.ub(f16, {tile}, "u", 1);
      auto each = [&](auto &&command) {
        for (int64_t h = 0; h < parts; ++h) {
          command(t.at(h * part), u.at(h * part), counts[h]);
        }
      };
      k.load(t, x.at(i), count);
      each([&](auto x, auto u, auto n) { k.mul(u, x, x, n); });
      each([&](auto, auto u, auto n) { k.muls(u, u, 0.044715, n); });
      each([&](auto, auto u, auto n) { k.adds(u, u, 1, n); });
      each([&](auto x, auto u, auto n) { k.mul(u, u, x, n); });
      each([&](auto, auto u, auto n) { k.muls(u, u, 0.7978845608, n); });
      each([&](auto, auto u, auto n) { k.tanh(u, u, n); });
      each([&](auto, auto u, auto n) { k.adds(u, u, 1, n); });
      each([&](auto x, auto u, auto n) { k.mul(x, x, u, n); });
      each([&](auto x, auto, auto n) { k.muls(x, x, 0.5, n); });
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

KILN_OPERATOR(declare, kernel, reference, knobs)
