// SPDX-License-Identifier: Apache-2.0
//
// ProtoEncoder: one message in the protobuf wire format.
//
//   ProtoEncoder event;
//   event.number(9, 1).number(11, track);
//   packet.message(11, event);
//   file.append(packet.bytes());
//
// Source: Protocol Buffers, "Encoding".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln::sim {

class ProtoEncoder {
public:
  ProtoEncoder &number(unsigned field, uint64_t value) {
    varint(uint64_t{field} << 3 | 0);
    varint(value);
    return *this;
  }
  ProtoEncoder &fixed64(unsigned field, uint64_t value) {
    varint(uint64_t{field} << 3 | 1);
    for (unsigned byte = 0; byte < 8; ++byte) {
      bytes_.push_back(static_cast<char>(value >> (8 * byte)));
    }
    return *this;
  }
  ProtoEncoder &text(unsigned field, std::string_view value) {
    varint(uint64_t{field} << 3 | 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  ProtoEncoder &message(unsigned field, const ProtoEncoder &value) {
    return text(field, value.bytes_);
  }
  bool empty() const { return bytes_.empty(); }
  const std::string &bytes() const { return bytes_; }

private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_.push_back(static_cast<char>(value | 0x80));
    }
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

} // namespace kiln::sim
