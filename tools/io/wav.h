// SPDX-License-Identifier: Apache-2.0
//
// RIFF WAVE sound: PCM of 8, 16, 24 and 32 bits and floats of 32 and 64 bits,
// any number of channels, with the plain or the extensible format chunk
// (Multimedia Programming Interface and Data Specifications 1.0; multichannel
// audio data and WAVE files).
//
//   Result<Samples> sound = parseWav(bytes);   // frames; channels
//   Result<std::vector<uint8_t>> file =
//       formatWav(*sound, {ops::DataType::I16, 44100});
//
// Written with the plain format chunk, floats with the size and the fact chunk
// that formats other than PCM need; 16 and 32 bits of integers, unsigned 8, and
// floats.
//
// Errors: kCorrupt for a file that contradicts itself or ends early,
// kUnsupported for compressed sound and for what a file cannot count: 2^32
// bytes, or as many in a second.
#pragma once

#include "isa/support/status.h"
#include "ops/reference/data_type.h"
#include "tools/io/samples.h"

#include <span>

namespace kiln::tools {

Result<Samples> parseWav(std::span<const uint8_t> bytes);

struct WavFormat {
  ops::DataType type = ops::DataType::I16; // or U8, I32, F32, F64
  uint32_t rate = 16000;                   // frames per second
};
/// A frame of f64 has at most 65,535 bytes.
constexpr int64_t kMostWavChannels = 8191;

/// `sound.values` are numbers that the type holds; 1 to kMostWavChannels.
Result<std::vector<uint8_t>> formatWav(const Samples &sound,
                                       const WavFormat &format);

} // namespace kiln::tools
