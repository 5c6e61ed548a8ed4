// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/cpu/cpu_features.h"

#include "hal/format/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace kiln::hal {

#if defined(__x86_64__)
namespace {

constexpr uint64_t kAvxState = 0x6;     // XCR0: SSE, AVX
constexpr uint64_t kAvx512State = 0xe6; // and opmask, upper halves, zmm16-31
constexpr unsigned kOsxsaveBit = 27;    // of leaf 1, ecx

/// Extended control register 0: the states the operating system saves.
uint64_t savedStates() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> kOsxsaveBit & 1)) {
    return 0;
  }
  uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

bool present(const CpuFeature &feature, uint64_t states) {
  uint64_t needed = feature.state == CpuState::kNone  ? 0
                    : feature.state == CpuState::kAvx ? kAvxState
                                                      : kAvx512State;
  unsigned r[4] = {};
  return (states & needed) == needed &&
         __get_cpuid_count(feature.leaf, feature.subleaf, &r[0], &r[1], &r[2],
                           &r[3]) &&
         (r[static_cast<unsigned>(feature.reg)] >> feature.bit & 1);
}

} // namespace

std::vector<std::string> hostCpuFeatures() {
  std::vector<std::string> names;
  uint64_t states = savedStates();
  for (const CpuFeature &feature : kX86Features) {
    if (present(feature, states)) {
      names.push_back(feature.name);
    }
  }
  return names;
}
#else
std::vector<std::string> hostCpuFeatures() { return {}; }
#endif

} // namespace kiln::hal
