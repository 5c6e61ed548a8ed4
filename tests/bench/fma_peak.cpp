// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/fma_peak.cpp"
#include "isa/numerics/simd_targets.h"

#include "hwy/foreach_target.h" // IWYU pragma: keep

#include "hwy/highway.h"

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace kiln::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

/// Independent chains, each variable a register: latency 4 on two units needs
/// eight of them.
HWY_NOINLINE V chains(V x, V factor, V addend, size_t steps) {
  const D d;
  V a = x, b = hn::Add(x, hn::Set(d, 1)), c = hn::Add(b, x);
  V e = hn::Add(c, b), f = hn::Add(e, b), g = hn::Add(f, b);
  V h = hn::Add(g, b), i = hn::Add(h, b), j = hn::Add(i, b);
  V k = hn::Add(j, b);
  for (size_t step = 0; step < steps; ++step) {
    a = hn::MulAdd(a, factor, addend);
    b = hn::MulAdd(b, factor, addend);
    c = hn::MulAdd(c, factor, addend);
    e = hn::MulAdd(e, factor, addend);
    f = hn::MulAdd(f, factor, addend);
    g = hn::MulAdd(g, factor, addend);
    h = hn::MulAdd(h, factor, addend);
    i = hn::MulAdd(i, factor, addend);
    j = hn::MulAdd(j, factor, addend);
    k = hn::MulAdd(k, factor, addend);
  }
  a = hn::Add(hn::Add(a, b), hn::Add(c, e));
  f = hn::Add(hn::Add(f, g), hn::Add(h, i));
  return hn::Add(hn::Add(a, f), hn::Add(j, k));
}

uint64_t fmaPeak(float seed, float &sink) {
  constexpr size_t kChains = 10, kSteps = 100000;
  const D d;
  const V x = hn::Set(d, 1 + seed * 1e-6f);
  sink = hn::GetLane(chains(x, hn::Set(d, 0.999f), x, kSteps));
  return 2 * kChains * kSteps * hn::Lanes(d);
}

} // namespace kiln::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "tests/bench/fma_peak.h"

namespace kiln::bench {

HWY_EXPORT(fmaPeak);

uint64_t runFmaPeak(float seed, float &sink) {
  return HWY_DYNAMIC_DISPATCH(fmaPeak)(seed, sink);
}

} // namespace kiln::bench
#endif // HWY_ONCE
