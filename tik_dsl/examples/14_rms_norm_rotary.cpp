// SPDX-License-Identifier: Apache-2.0
//
// Example 14: RMS norm and rotary embedding of attention heads, fused.
//
//   kiln test-op tik_dsl/examples/14_rms_norm_rotary.cpp
//
//   n = x / sqrt(mean(x^2) + 1e-3) * scale
//   y[:D/2] = n[:D/2] * cos - n[D/2:] * sin
//   y[D/2:] = n[D/2:] * cos + n[:D/2] * sin
//
// Shown here: two halves of a row as views of one buffer, fp32 inside with fp16
// outside, a table that belongs to the position.
#include "tik_dsl/api/tik.h"

#include <cmath>

using namespace kiln::tik;

namespace {

constexpr double kEpsilon = 1e-3;

// [body]
const Body kBody = R"mlir(
  #all = affine_map<(t, h, i) -> (t, h, i)>
  #token = affine_map<(t, h, i) -> (t)>
  #channel = affine_map<(t, h, i) -> (h, i)>
  func.func @rms_norm_rotary(%x: tensor<{T}x128xf16>, %scale: tensor<128xf32>,
      %c: tensor<{T}x64xf32>, %s: tensor<{T}x64xf32>) -> tensor<{T}x128xf16> {
    %zero = arith.constant 0.0 : f32
    %size = arith.constant 128.0 : f32
    %epsilon = arith.constant 1.0e-3 : f32
    %halves = tensor.expand_shape %x [[0], [1, 2]] output_shape [{T}, 2, 64]
        : tensor<{T}x128xf16> into tensor<{T}x2x64xf16>
    %scales = tensor.expand_shape %scale [[0, 1]] output_shape [2, 64]
        : tensor<128xf32> into tensor<2x64xf32>
    %sums = tensor.empty() : tensor<{T}xf32>
    %start = linalg.fill ins(%zero : f32) outs(%sums : tensor<{T}xf32>)
        -> tensor<{T}xf32>
    %squares = linalg.generic {indexing_maps = [#all, #token],
        iterator_types = ["parallel", "reduction", "reduction"]}
        ins(%halves : tensor<{T}x2x64xf16>) outs(%start : tensor<{T}xf32>) {
    ^bb0(%in: f16, %sum: f32):
      %v = arith.extf %in : f16 to f32
      %square = arith.mulf %v, %v : f32
      %next = arith.addf %sum, %square : f32
      linalg.yield %next : f32
    } -> tensor<{T}xf32>
    %empty = tensor.empty() : tensor<{T}x2x64xf32>
    %n = linalg.generic {indexing_maps = [#all, #token, #channel, #all],
        iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%halves, %squares, %scales
            : tensor<{T}x2x64xf16>, tensor<{T}xf32>, tensor<2x64xf32>)
        outs(%empty : tensor<{T}x2x64xf32>) {
    ^bb0(%in: f16, %sum: f32, %factor: f32, %unused: f32):
      %v = arith.extf %in : f16 to f32
      %mean = arith.divf %sum, %size : f32
      %more = arith.addf %mean, %epsilon : f32
      %r = math.rsqrt %more : f32
      %normed = arith.mulf %v, %r : f32
      %scaled = arith.mulf %normed, %factor : f32
      linalg.yield %scaled : f32
    } -> tensor<{T}x2x64xf32>
    %low = tensor.extract_slice %n[0, 0, 0] [{T}, 1, 64] [1, 1, 1]
        : tensor<{T}x2x64xf32> to tensor<{T}x64xf32>
    %high = tensor.extract_slice %n[0, 1, 0] [{T}, 1, 64] [1, 1, 1]
        : tensor<{T}x2x64xf32> to tensor<{T}x64xf32>
    %lc = arith.mulf %low, %c : tensor<{T}x64xf32>
    %hs = arith.mulf %high, %s : tensor<{T}x64xf32>
    %hc = arith.mulf %high, %c : tensor<{T}x64xf32>
    %ls = arith.mulf %low, %s : tensor<{T}x64xf32>
    %left = arith.subf %lc, %hs : tensor<{T}x64xf32>
    %right = arith.addf %hc, %ls : tensor<{T}x64xf32>
    %y = tensor.concat dim(1) %left, %right
        : (tensor<{T}x64xf32>, tensor<{T}x64xf32>) -> tensor<{T}x128xf32>
    %rounded = arith.truncf %y : tensor<{T}x128xf32> to tensor<{T}x128xf16>
    return %rounded : tensor<{T}x128xf16>
  }
)mlir";
// [body]

// [declaration]
void declare(Declaration &d) {
  d.name("rms_norm_rotary", "rotary(rms_norm(x) * scale), heads of 128");
  d.input("x", f16, {"T", 128}, {-3, 3}).input("scale", f32, {128}, {0.5, 2});
  d.input("cosine", f32, {"T", 64}).input("sine", f32, {"T", 64});
  d.output("y", f16, {"T", 128});
  d.shape({{"T", 2048}}).edge({{"T", 1}}).edge({{"T", 100}});
  d.tolerance(f16, 7.3e-4, 3.5e-6,
              "one rounding to 11 bits: 2^-11, and half of it; two products "
              "below 4 after seven roundings to 24 bits: 7 x 2^-24 x 8");
  d.body(kBody);
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t T = x.dim(0), D = 128, half = D / 2, tile = 32;
  const int64_t blocks = min(k.cores(), ceilDiv(T, tile));
  for (Index block : k.blocks(blocks)) {
    const Buffer scale = k.ub(f32, {D}, "scale");
    k.load(scale, k.tensor("scale"), D);
    for (Index t : k.range(block * tile, T, blocks * tile).buffers(2)) {
      const Index n = min(tile, T - t);
      const Tile whole = {n, D}, part = {n, half}, stats = {n, 8};
      const Buffer in = k.ub(f16, {tile, D}, "in");
      const Buffer v = k.ub(f32, {tile, D}, "v"), s = k.ub(f32, {tile, D}, "s");
      const Buffer e = k.ub(f32, {tile, 8}, "e"), w = k.ub(f32, {tile, 8}, "w");
      const Buffer c = k.ub(f32, {tile, half}, "c");
      const Buffer sn = k.ub(f32, {tile, half}, "sn");
      k.load(in, x.at(t, 0), whole);
      k.load(c, k.tensor("cosine").at(t, 0), part);
      k.load(sn, k.tensor("sine").at(t, 0), part);
      k.cast(v, in, whole);
      k.mul(s, v, v, whole);
      k.rowSum(e, s, whole);
      k.broadcast(w, e, stats);
      k.muls(w, w, 1.0 / D, stats);
      k.adds(w, w, kEpsilon, stats);
      k.sqrt(w, w, stats);
      k.reciprocal(w, w, stats);
      k.mul(v, v, w.at(0, 0).blockStride(0), whole);
      k.mul(v, v, scale, whole);
      const Place low = v.at(0, 0), high = v.at(0, half);
      k.mul(s.at(0, 0), high, sn, part);
      k.mul(s.at(0, half), low, sn, part);
      k.mul(low, low, c, part);
      k.mul(high, high, c, part);
      k.sub(low, low, s.at(0, 0), part);
      k.add(high, high, s.at(0, half), part);
      k.cast(in, v, whole);
      k.store(y.at(t, 0), in, whole);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t t = 0; t < x.dim(0); ++t) {
    double square = 0, n[128];
    for (int64_t i = 0; i < 128; ++i) {
      square += x[t * 128 + i] * x[t * 128 + i] / 128;
    }
    for (int64_t i = 0; i < 128; ++i) {
      n[i] = x[t * 128 + i] / std::sqrt(square + kEpsilon) * r["scale"][i];
    }
    for (int64_t i = 0; i < 64; ++i) {
      const double c = r["cosine"][t * 64 + i], s = r["sine"][t * 64 + i];
      y[t * 128 + i] = n[i] * c - n[64 + i] * s;
      y[t * 128 + 64 + i] = n[64 + i] * c + n[i] * s;
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
