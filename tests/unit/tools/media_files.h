// SPDX-License-Identifier: Apache-2.0
//
// PNG and WAV files made from their definitions, without libpng.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace kiln::tools::test {

using Bytes = std::vector<uint8_t>;

inline void append(Bytes &to, const Bytes &from) {
  to.insert(to.end(), from.begin(), from.end());
}
inline Bytes text(std::string_view s) { return {s.begin(), s.end()}; }

inline Bytes bigEndian(uint32_t value) {
  return {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
          static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}
inline Bytes littleEndian(uint64_t value, int size) {
  Bytes bytes;
  for (int i = 0; i < size; ++i) {
    bytes.push_back(static_cast<uint8_t>(value >> 8 * i));
  }
  return bytes;
}

/// A chunk of a PNG file: length, name, data, checksum of name and data.
inline Bytes pngChunk(std::string_view name, const Bytes &data) {
  Bytes named = text(name), chunk = bigEndian(data.size());
  append(named, data);
  append(chunk, named);
  append(chunk, bigEndian(crc32(0, named.data(), named.size())));
  return chunk;
}

struct Png {
  uint32_t width, height;
  uint8_t depth = 8, colour = 0; // 0 grey, 2 RGB, 3 palette, 4 and 6 alpha
  Bytes lines = {};              // a filter byte before each row
  Bytes extra = {};              // chunks before the data
  bool interlaced = false;

  Bytes file() const {
    Bytes out = {0x89, 'P', 'N', 'G', 13, 10, 26, 10}, header;
    append(header, bigEndian(width));
    append(header, bigEndian(height));
    append(header, {depth, colour, 0, 0, interlaced});
    append(out, pngChunk("IHDR", header));
    append(out, extra);
    uLongf size = compressBound(lines.size());
    Bytes packed(size);
    compress(packed.data(), &size, lines.data(), lines.size());
    packed.resize(size);
    append(out, pngChunk("IDAT", packed));
    append(out, pngChunk("IEND", {}));
    return out;
  }
};

/// A chunk of a WAV file, padded to an even length.
inline Bytes wavChunk(std::string_view name, const Bytes &data) {
  Bytes chunk = text(name);
  append(chunk, littleEndian(data.size(), 4));
  append(chunk, data);
  chunk.resize(chunk.size() + data.size() % 2);
  return chunk;
}

struct Wav {
  uint16_t tag = 1, channels = 1, bits = 16; // 1 PCM, 3 float
  Bytes data = {};
  Bytes before = {}; // chunks before the data
  bool extensible = false;

  Bytes file() const {
    const unsigned frame = channels * bits / 8;
    Bytes format = littleEndian(extensible ? 0xfffe : tag, 2);
    append(format, littleEndian(channels, 2));
    append(format, littleEndian(16000, 4));
    append(format, littleEndian(16000 * frame, 4));
    append(format, littleEndian(frame, 2));
    append(format, littleEndian(bits, 2));
    if (extensible) { // size, bits, mask, and a GUID that begins with the tag
      append(format, littleEndian(22, 2));
      append(format, littleEndian(bits, 2));
      append(format, littleEndian(0, 4));
      append(format, littleEndian(tag, 2));
      append(format,
             {0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71});
    }
    Bytes body = text("WAVE");
    append(body, wavChunk("fmt ", format));
    append(body, before);
    append(body, wavChunk("data", data));
    Bytes out = text("RIFF");
    append(out, littleEndian(body.size(), 4));
    append(out, body);
    return out;
  }
};

} // namespace kiln::tools::test
