// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/program_kit.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace kiln::hal::conformance {
namespace {

const std::vector<std::string> kKernels = {"copy", "probe", "increment",
                                           "spin", "trap",  "lose"};

uint32_t indexOf(const std::vector<std::string> &entries,
                 std::string_view kernel) {
  auto found = std::ranges::find(entries, kernel);
  return static_cast<uint32_t>(found - entries.begin());
}

std::vector<uint8_t> readFile(const char *path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

ProgramKit nullKit() {
  ProgramImage image{ProgramKind::kNull, "suite", kKernels};
  ProgramKit kit;
  kit.kernel = [image](std::string_view kernel) {
    return KernelImage{image, indexOf(image.entries, kernel)};
  };
  kit.corrupt = {ProgramKind::kNull, "corrupt", {"no such kernel"}};
  kit.unfit = {ProgramKind::kNull, "unfit", {"copy"}, {"no such feature"}};
  return kit;
}

ProgramKit cpuKit() {
  std::vector<std::string> entries(kKernels.begin(), kKernels.begin() + 4);
  std::vector<uint8_t> bytes = readFile(KILN_CPU_KERNELS);
  ProgramImage image{ProgramKind::kCpuSo, "suite", entries, {}, {}, bytes};
  ProgramKit kit;
  kit.kernel = [image](std::string_view kernel) {
    return KernelImage{image, indexOf(image.entries, kernel)};
  };
  // Headers only: no segment is complete.
  bytes.resize(std::min<size_t>(bytes.size(), 600));
  kit.corrupt = {ProgramKind::kCpuSo, "corrupt", {"copy"}, {}, {}, bytes};
  kit.unfit = image;
  kit.unfit.cpuFeatures = {"no such feature"};
  return kit;
}

} // namespace kiln::hal::conformance
