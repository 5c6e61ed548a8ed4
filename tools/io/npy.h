// SPDX-License-Identifier: Apache-2.0
//
// numpy's .npy format (numpy.lib.format, versions 1.0 to 3.0): little-endian,
// C order, numbers and bool. bf16 has no numpy name and is refused.
#pragma once

#include "tools/io/host_tensor.h"

namespace kiln::tools {

Result<HostTensor> parseNpy(std::span<const uint8_t> bytes);
Result<std::vector<uint8_t>> formatNpy(const HostTensor &tensor);

} // namespace kiln::tools
