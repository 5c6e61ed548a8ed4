// SPDX-License-Identifier: Apache-2.0
//
// PNG pictures (ISO/IEC 15948), by libpng. Read: every colour type, depth and
// interlacing. Grey stays one channel, palettes become RGB, transparency a
// further channel; 1, 2 and 4 bits become 8, and 16 stay. Gamma and colour
// profiles are ignored: a sample is the number that the file holds.
//
// Written: 8 or 16 bits, as the full scale says; grey, RGB, with alpha.
//
//   Result<Samples> picture = parsePng(bytes);   // height, width; 1 to 4
//   Result<std::vector<uint8_t>> file = formatPng(*picture);
//
// Errors: kCorrupt with libpng's reason; kUnsupported for more than 2^26
// pixels, and
// for a picture that libpng does not write.
#pragma once

#include "isa/support/status.h"
#include "tools/io/samples.h"

#include <span>

namespace kiln::tools {

Result<Samples> parsePng(std::span<const uint8_t> bytes);

/// Of whole numbers from 0 to `picture.high`, which is 255 or 65535.
Result<std::vector<uint8_t>> formatPng(const Samples &picture);

} // namespace kiln::tools
