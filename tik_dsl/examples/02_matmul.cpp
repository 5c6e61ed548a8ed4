// SPDX-License-Identifier: Apache-2.0
//
// Example 2: C = A x B for any M, N and K; fp16 in, fp16 or fp32 out.
//
//   kiln test-op tik_dsl/examples/02_matmul.cpp --shape M=512,N=512,K=512
//
// Shown here: the way of a matrix product through the memories of a core,
// two levels of double buffering, tails in all three dimensions, and a type
// that is an attribute. Parts of a tile end one after the other, so that little
// is left to store at the end; tiles in bands let cores that run side by side
// read the same rows and columns, which are then in the L2.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <vector>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("matmul", "C[M,N] = A[M,K] x B[K,N], summed in fp32");
  d.attribute("out", {f32, f16});
  d.input("a", f16, {"M", "K"}).input("b", f16, {"K", "N"});
  d.output("c", "out", {"M", "N"}).macs({"M", "N", "K"});
  d.shape({{"M", 512}, {"N", 512}, {"K", 512}});
  d.shape({{"M", 300}, {"N", 700}, {"K", 1000}, {"out", f16}});
  d.edge({{"M", 1}, {"N", 1}, {"K", 1}});
  d.edge({{"M", 17}, {"N", 33}, {"K", 70}});
  d.edge({{"M", 129}, {"N", 257}, {"K", 321}, {"out", f16}});
  d.edge({{"M", 128}, {"N", 256}, {"K", 256}});
  d.edge({{"M", 50}, {"N", 60}, {"K", 4096}});
  d.tolerance(f32, 1.5e-6, 4.5e-5,
              "a rounding to 24 bits per 16 of up to 4096 products: "
              "1.5 x sqrt(256) x 2^-24 of |c|, and of sqrt(4096) / 2");
  d.tolerance(f16, 7.3e-4, 4.5e-5,
              "as f32, then one rounding to 11 bits: 2^-11, and half of it");
}
// [declaration]

// [knobs]
void knobs(const Knobs &k) {
  const int64_t least = 32, widest = k.capacity(Space::l0c) / (4 * least);
  const auto tiles = [&](const char *size) {
    return doubling(least).upTo(min(widest, alignUp(k.attribute(size), least)));
  };
  k.knob("tileM", 128, tiles("M"));
  k.knob("tileN", 256, tiles("N"));
  k.knob("tileL1", 256, doubling(128).upTo(min(1024, k.attribute("K"))));
  k.knob("tileK", 64, doubling(least).upTo(256));
  k.knob("slotsC", {2, 1});
  k.knob("slotsL1", {2, 4, 8});
  k.knob("parts", {1, 2}); // of a tile, side by side
  // Tiles go down so many rows of tiles before they go on to the right.
  k.knob("band", doubling(1).upTo(min(8, k.attribute("M") / 128)));
}
// [knobs]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(1);
  const int64_t tileM = k.knob("tileM"), tileN = k.knob("tileN");
  const int64_t tileL1 = k.knob("tileL1"), tileK = k.knob("tileK");
  const int64_t parts = k.knob("parts"), part = tileN / parts;
  k.legal(tileL1 % tileK == 0 && part % 16 == 0, "pieces divide the whole");
  const int64_t wide = ceilDiv(N, tileN), down = ceilDiv(M, tileM);
  const int64_t count = wide * down, blocks = min(k.cores(), count);
  for (Index block : k.blocks(blocks)) {
    for (Index tile : k.range(block, count, blocks).buffers(k.knob("slotsC"))) {
      const auto [row, col] = tiles::inBands(tile, down, wide, k.knob("band"));
      const Index m = row * tileM, n = col * tileN, rows = min(tileM, M - m);
      auto cols = [&](int p) { return tiles::piece(N - n, p, part); };
      std::vector<Buffer> acc;
      for (int64_t p = 0; p < parts; ++p) {
        acc.push_back(k.l0c(f32, tileM, part, "acc"));
      }
      const auto store = [&](int64_t p) {
        k.fix(c.at(m, min(n + p * part, N - 1)), acc[p], {rows, cols(p)});
      };
      for (Index k1 : k.range(0, K, tileL1).buffers(k.knob("slotsL1"))) {
        const Index depth = min(tileL1, K - k1);
        const Buffer aL1 = k.l1Nz(f16, tileM, tileL1, "aL1");
        const Buffer bL1 = k.l1Nz(f16, tileL1, tileN, "bL1");
        k.loadNz(aL1, a.at(m, k1), {rows, depth});
        k.loadNz(bL1, b.at(k1, n), {depth, min(tileN, N - n)});
        for (int64_t p = 0; p < parts; ++p) {
          for (Index k0 : k.range(0, depth, tileK).buffers(2)) {
            const Index step = min(tileK, depth - k0);
            const Buffer aL0 = k.l0a(f16, tileM, tileK, "aL0");
            const Buffer bL0 = k.l0b(f16, tileK, part, "bL0");
            k.loadA(aL0, aL1.at(0, k0), {rows, step});
            k.loadB(bL0, bL1.at(k0, p * part), {step, cols(p)});
            k.mmad(acc[p], aL0, bL0, {rows, cols(p), step}, k1 + k0 != 0);
          }
          if (parts > 1) { // one leaves while the next is multiplied
            k.when(k1 + tileL1 >= K, [&] { store(p); });
          }
        }
      }
      if (parts == 1) {
        store(0);
      }
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray a = r["a"], b = r["b"], c = r["c"];
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(1);
  for (int64_t i = 0; i < M * N; ++i) {
    c[i] = 0;
  }
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t n = 0; n < N; ++n) {
        c[m * N + n] += a[m * K + k] * b[k * N + n];
      }
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
