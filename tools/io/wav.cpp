// SPDX-License-Identifier: Apache-2.0
#include "tools/io/wav.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr uint32_t kPcm = 1, kFloat = 3, kExtensible = 0xfffe;

Status corrupt(const std::string &message) {
  return {StatusCode::kCorrupt, ".wav: " + message};
}

/// A little-endian number of `size` bytes.
uint64_t number(Bytes bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) {
    value = value << 8 | bytes[at + i];
  }
  return value;
}

bool is(Bytes bytes, size_t at, const char *name) {
  return bytes.size() >= at + 4 && std::memcmp(&bytes[at], name, 4) == 0;
}

struct Format {
  uint32_t tag = 0, channels = 0, bytes = 0; // of one sample
};

Result<Format> parseFormat(Bytes chunk) {
  if (chunk.size() < 16) {
    return corrupt("the format chunk has fewer than 16 bytes");
  }
  Format format;
  format.tag = static_cast<uint32_t>(number(chunk, 0, 2));
  format.channels = static_cast<uint32_t>(number(chunk, 2, 2));
  const uint64_t frame = number(chunk, 12, 2), bits = number(chunk, 14, 2);
  if (format.tag == kExtensible && chunk.size() >= 26) {
    format.tag = static_cast<uint32_t>(number(chunk, 24, 2)); // of its GUID
  }
  format.bytes = static_cast<uint32_t>(bits / 8);
  const bool known = format.tag == kPcm
                         ? bits == 8 || bits == 16 || bits == 24 || bits == 32
                         : format.tag == kFloat && (bits == 32 || bits == 64);
  if (!known) {
    return Status(StatusCode::kUnsupported,
                  fmt::format(".wav: format {} of {} bits; supported: PCM of "
                              "8, 16, 24, 32 bits, floats of 32, 64",
                              format.tag, bits));
  }
  if (format.channels == 0 || frame != format.channels * format.bytes) {
    return corrupt(fmt::format("frames of {} bytes for {} channels of {} bits",
                               frame, format.channels, bits));
  }
  return format;
}

double sampleAt(Bytes data, size_t at, const Format &format) {
  const uint64_t raw = number(data, at, format.bytes);
  if (format.tag == kFloat) {
    return format.bytes == 4 ? std::bit_cast<float>(static_cast<uint32_t>(raw))
                             : std::bit_cast<double>(raw);
  }
  if (format.bytes == 1) {
    return static_cast<double>(raw); // 8 bits are unsigned
  }
  const unsigned unused = 64 - 8 * format.bytes;
  return static_cast<double>(static_cast<int64_t>(raw << unused) >> unused);
}

Result<Samples> decode(Bytes data, const Format &format) {
  if (data.size() % (format.channels * format.bytes) != 0) {
    return corrupt(fmt::format("{} bytes of data are no whole number of "
                               "frames",
                               data.size()));
  }
  Samples sound;
  sound.channels = format.channels;
  const size_t count = data.size() / format.bytes;
  sound.extents = {static_cast<int64_t>(count / format.channels)};
  sound.values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    sound.values.push_back(sampleAt(data, i * format.bytes, format));
  }
  const double half =
      format.tag == kFloat ? 1 : std::ldexp(1, 8 * format.bytes - 1);
  const bool isUnsigned = format.tag == kPcm && format.bytes == 1;
  sound.low = isUnsigned ? 0 : -half;
  sound.high = sound.low + 2 * half;
  return sound;
}

/// Little-endian chunks of a file that is being written.
class Writer {
public:
  explicit Writer(size_t capacity) { bytes_.reserve(capacity); }

  void name(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void number(uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      bytes_.push_back(static_cast<uint8_t>(value >> 8 * i));
    }
  }
  void sample(double value, const WavFormat &format) {
    const size_t size = ops::sizeOf(format.type);
    if (format.type == ops::DataType::F64) {
      number(std::bit_cast<uint64_t>(value), size);
    } else if (format.type == ops::DataType::F32) {
      number(std::bit_cast<uint32_t>(static_cast<float>(value)), size);
    } else {
      number(static_cast<uint64_t>(static_cast<int64_t>(value)), size);
    }
  }
  std::vector<uint8_t> finish() {
    bytes_.resize(bytes_.size() + bytes_.size() % 2);
    return std::move(bytes_);
  }

private:
  std::vector<uint8_t> bytes_;
};

} // namespace

Result<std::vector<uint8_t>> formatWav(const Samples &sound,
                                       const WavFormat &format) {
  const bool isFloat = ops::isFloat(format.type);
  const uint64_t size = ops::sizeOf(format.type);
  const uint64_t channels = static_cast<uint64_t>(sound.channels);
  const uint64_t frame = channels * size, data = sound.values.size() * size;
  const uint64_t headers = isFloat ? 50 : 36; // after the first eight bytes
  constexpr uint64_t kMost = UINT32_MAX;
  if (headers + data + data % 2 > kMost || frame * format.rate > kMost) {
    return Status(StatusCode::kUnsupported,
                  fmt::format(".wav: {} bytes of sound, {} in a second; a file "
                              "counts to {}",
                              data, frame * format.rate, kMost));
  }
  Writer file(8 + headers + data + 1);
  file.name("RIFF");
  file.number(headers + data + data % 2, 4);
  file.name("WAVEfmt ");
  file.number(isFloat ? 18 : 16, 4);
  file.number(isFloat ? kFloat : kPcm, 2);
  file.number(channels, 2);
  file.number(format.rate, 4);
  file.number(format.rate * frame, 4);
  file.number(frame, 2);
  file.number(8 * size, 2);
  if (isFloat) {
    file.number(0, 2); // bytes of further fields
    file.name("fact");
    file.number(4, 4);
    file.number(static_cast<uint64_t>(sound.extents[0]), 4);
  }
  file.name("data");
  file.number(data, 4);
  for (double value : sound.values) {
    file.sample(value, format);
  }
  return file.finish();
}

Result<Samples> parseWav(Bytes bytes) {
  if (!is(bytes, 0, "RIFF") || !is(bytes, 8, "WAVE")) {
    return corrupt("not a RIFF WAVE file");
  }
  std::optional<Format> format;
  for (size_t at = 12; bytes.size() - at >= 8;) {
    const uint64_t size = number(bytes, at + 4, 4);
    const size_t left = bytes.size() - at - 8;
    const bool isData = is(bytes, at, "data");
    if (size > left) {
      return corrupt(fmt::format("a chunk of {} bytes, of which {} are there",
                                 size, left));
    }
    const Bytes chunk = bytes.subspan(at + 8, size);
    if (is(bytes, at, "fmt ")) {
      KILN_ASSIGN_OR_RETURN(format, parseFormat(chunk));
    } else if (isData && format) {
      return decode(chunk, *format);
    } else if (isData) {
      return corrupt("data before the format chunk");
    }
    at += 8 + std::min<uint64_t>(size + size % 2, left); // padded to even
  }
  return corrupt(format ? "no data chunk" : "no format chunk");
}

} // namespace kiln::tools
