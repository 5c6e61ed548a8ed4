// SPDX-License-Identifier: Apache-2.0
//
// PNG pictures (ISO/IEC 15948), read by libpng: every colour type, depth and
// interlacing. Grey stays one channel, palettes become RGB, transparency a
// further channel; 1, 2 and 4 bits become 8, and 16 stay. Gamma and colour
// profiles are ignored: a sample is the number that the file holds.
//
//   Result<Samples> picture = parsePng(bytes);   // height, width; 1 to 4
//
// Errors: kCorrupt with libpng's reason; kUnsupported for more than 2^26
// pixels.
#pragma once

#include "isa/support/status.h"
#include "tools/io/samples.h"

#include <span>

namespace kiln::tools {

Result<Samples> parsePng(std::span<const uint8_t> bytes);

} // namespace kiln::tools
