// SPDX-License-Identifier: Apache-2.0
//
// What pictures and sound have in common once a file is read: numbers on a
// grid, the channels of a place side by side.
#pragma once

#include <cstdint>
#include <vector>

namespace kiln::tools {

struct Samples {
  std::vector<int64_t> extents; // height and width, or frames
  int64_t channels = 1;
  /// Full scale of the stored numbers: black and white, or -1 and 1.
  double low = 0, high = 1;
  std::vector<double> values; // as stored
};

} // namespace kiln::tools
