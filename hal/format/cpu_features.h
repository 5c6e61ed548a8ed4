// SPDX-License-Identifier: Apache-2.0
//
// The CPU features a package may name: LLVM's names, each with the place of
// its bit in CPUID, so that the compiler records only what the runtime can
// check.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 2, CPUID; AMD64 Architecture Programmer's Manual, volume 3,
// appendix E (lzcnt).
#pragma once

#include <cstdint>

namespace kiln::hal {

enum class CpuidRegister : uint8_t { kEax, kEbx, kEcx, kEdx };

/// Register state that the operating system must save for a feature.
enum class CpuState : uint8_t { kNone, kAvx, kAvx512 };

struct CpuFeature {
  const char *name;
  uint32_t leaf;
  uint32_t subleaf;
  CpuidRegister reg;
  uint8_t bit;
  CpuState state;
};

/// Sorted by name.
constexpr CpuFeature kX86Features[] = {
    {"aes", 1, 0, CpuidRegister::kEcx, 25, CpuState::kNone},
    {"avx", 1, 0, CpuidRegister::kEcx, 28, CpuState::kAvx},
    {"avx2", 7, 0, CpuidRegister::kEbx, 5, CpuState::kAvx},
    {"avx512bf16", 7, 1, CpuidRegister::kEax, 5, CpuState::kAvx512},
    {"avx512bitalg", 7, 0, CpuidRegister::kEcx, 12, CpuState::kAvx512},
    {"avx512bw", 7, 0, CpuidRegister::kEbx, 30, CpuState::kAvx512},
    {"avx512cd", 7, 0, CpuidRegister::kEbx, 28, CpuState::kAvx512},
    {"avx512dq", 7, 0, CpuidRegister::kEbx, 17, CpuState::kAvx512},
    {"avx512f", 7, 0, CpuidRegister::kEbx, 16, CpuState::kAvx512},
    {"avx512fp16", 7, 0, CpuidRegister::kEdx, 23, CpuState::kAvx512},
    {"avx512ifma", 7, 0, CpuidRegister::kEbx, 21, CpuState::kAvx512},
    {"avx512vbmi", 7, 0, CpuidRegister::kEcx, 1, CpuState::kAvx512},
    {"avx512vbmi2", 7, 0, CpuidRegister::kEcx, 6, CpuState::kAvx512},
    {"avx512vl", 7, 0, CpuidRegister::kEbx, 31, CpuState::kAvx512},
    {"avx512vnni", 7, 0, CpuidRegister::kEcx, 11, CpuState::kAvx512},
    {"avx512vp2intersect", 7, 0, CpuidRegister::kEdx, 8, CpuState::kAvx512},
    {"avx512vpopcntdq", 7, 0, CpuidRegister::kEcx, 14, CpuState::kAvx512},
    {"avxifma", 7, 1, CpuidRegister::kEax, 23, CpuState::kAvx},
    {"avxneconvert", 7, 1, CpuidRegister::kEdx, 5, CpuState::kAvx},
    {"avxvnni", 7, 1, CpuidRegister::kEax, 4, CpuState::kAvx},
    {"avxvnniint8", 7, 1, CpuidRegister::kEdx, 4, CpuState::kAvx},
    {"bmi", 7, 0, CpuidRegister::kEbx, 3, CpuState::kNone},
    {"bmi2", 7, 0, CpuidRegister::kEbx, 8, CpuState::kNone},
    {"f16c", 1, 0, CpuidRegister::kEcx, 29, CpuState::kAvx},
    {"fma", 1, 0, CpuidRegister::kEcx, 12, CpuState::kAvx},
    {"gfni", 7, 0, CpuidRegister::kEcx, 8, CpuState::kNone},
    {"lzcnt", 0x80000001, 0, CpuidRegister::kEcx, 5, CpuState::kNone},
    {"movbe", 1, 0, CpuidRegister::kEcx, 22, CpuState::kNone},
    {"pclmul", 1, 0, CpuidRegister::kEcx, 1, CpuState::kNone},
    {"popcnt", 1, 0, CpuidRegister::kEcx, 23, CpuState::kNone},
    {"sse3", 1, 0, CpuidRegister::kEcx, 0, CpuState::kNone},
    {"sse4.1", 1, 0, CpuidRegister::kEcx, 19, CpuState::kNone},
    {"sse4.2", 1, 0, CpuidRegister::kEcx, 20, CpuState::kNone},
    {"ssse3", 1, 0, CpuidRegister::kEcx, 9, CpuState::kNone},
    {"vaes", 7, 0, CpuidRegister::kEcx, 9, CpuState::kAvx},
    {"vpclmulqdq", 7, 0, CpuidRegister::kEcx, 10, CpuState::kAvx},
};

} // namespace kiln::hal
