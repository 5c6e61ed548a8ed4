// SPDX-License-Identifier: Apache-2.0
//
// RIFF WAVE sound: PCM of 8, 16, 24 and 32 bits and floats of 32 and 64 bits,
// any number of channels, with the plain or the extensible format chunk
// (Multimedia Programming Interface and Data Specifications 1.0; multichannel
// audio data and WAVE files).
//
//   Result<Samples> sound = parseWav(bytes);   // frames; channels
//
// Errors: kCorrupt for a file that contradicts itself or ends early,
// kUnsupported for compressed sound.
#pragma once

#include "isa/support/status.h"
#include "tools/io/samples.h"

#include <span>

namespace kiln::tools {

Result<Samples> parseWav(std::span<const uint8_t> bytes);

} // namespace kiln::tools
