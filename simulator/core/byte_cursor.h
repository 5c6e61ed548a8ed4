// SPDX-License-Identifier: Apache-2.0
//
// ByteCursor: a little-endian reader over borrowed bytes that never reads past
// the end. After the first failed read every further read gives 0 and ok()
// stays false, so a parser checks once per record instead of once per field.
//
//   ByteCursor c(bytes);
//   uint32_t n = c.u32();
//   std::string_view name = c.cstring();
//   if (!c.ok()) { ... truncated at c.offset() ... }
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace kiln::sim {

class ByteCursor {
public:
  explicit ByteCursor(std::span<const uint8_t> bytes, size_t offset = 0)
      : bytes_(bytes), offset_(offset), ok_(offset <= bytes.size()) {}

  bool ok() const { return ok_; }
  bool atEnd() const { return !ok_ || offset_ == bytes_.size(); }
  size_t offset() const { return offset_; }
  size_t left() const { return ok_ ? bytes_.size() - offset_ : 0; }

  uint8_t u8() { return number<uint8_t>(); }
  uint16_t u16() { return number<uint16_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  uint64_t u64() { return number<uint64_t>(); }

  uint64_t uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; ok_; shift += 7) {
      uint8_t byte = u8();
      if (shift < 64) {
        value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      }
      if (!(byte & 0x80)) {
        break;
      }
    }
    return ok_ ? value : 0;
  }

  int64_t sleb() {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    do {
      byte = u8();
      if (shift < 64) {
        value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      }
      shift += 7;
    } while (ok_ && (byte & 0x80));
    if (shift < 64 && (byte & 0x40)) {
      value |= ~uint64_t{0} << shift;
    }
    return ok_ ? static_cast<int64_t>(value) : 0;
  }

  /// A zero-terminated string; the terminator is consumed.
  std::string_view cstring() {
    if (!ok_) {
      return {};
    }
    const char *begin = reinterpret_cast<const char *>(bytes_.data()) + offset_;
    const void *end = left() ? std::memchr(begin, 0, left()) : nullptr;
    if (!end) {
      ok_ = false;
      return {};
    }
    std::string_view text(begin, static_cast<const char *>(end) - begin);
    offset_ += text.size() + 1;
    return text;
  }

  /// The next `size` bytes, or an empty span when there are fewer.
  std::span<const uint8_t> take(uint64_t size) {
    if (!ok_ || size > left()) {
      ok_ = false;
      return {};
    }
    std::span<const uint8_t> part = bytes_.subspan(offset_, size);
    offset_ += size;
    return part;
  }

  void skip(uint64_t size) { take(size); }

private:
  template <typename T> T number() {
    T value = 0;
    if (!ok_ || left() < sizeof(T)) {
      ok_ = false;
      return 0;
    }
    std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return value;
  }

  std::span<const uint8_t> bytes_;
  size_t offset_ = 0;
  bool ok_ = true;
};

} // namespace kiln::sim
