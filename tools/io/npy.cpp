// SPDX-License-Identifier: Apache-2.0
#include "tools/io/npy.h"

#include <cstring>

namespace kiln::tools {
namespace {

using ops::DataType;

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicSize = 6;

struct Descriptor {
  const char *text;
  DataType type;
};
constexpr Descriptor kDescriptors[] = {
    {"|b1", DataType::Bool}, {"|i1", DataType::I8},  {"|u1", DataType::U8},
    {"<i2", DataType::I16},  {"<u2", DataType::U16}, {"<i4", DataType::I32},
    {"<u4", DataType::U32},  {"<i8", DataType::I64}, {"<u8", DataType::U64},
    {"<f2", DataType::F16},  {"<f4", DataType::F32}, {"<f8", DataType::F64},
};

Status corrupt(std::string message) {
  return {StatusCode::kCorrupt, ".npy: " + std::move(message)};
}

/// The text after `'key':` in the header's dictionary.
Result<std::string> field(const std::string &header, const std::string &key) {
  size_t at = header.find("'" + key + "'");
  size_t colon = at == std::string::npos ? at : header.find(':', at);
  size_t start = colon == std::string::npos
                     ? colon
                     : header.find_first_not_of(' ', colon + 1);
  if (start == std::string::npos) {
    return corrupt("header lacks '" + key + "'");
  }
  char close = header[start] == '(' ? ')' : ',';
  size_t end = header.find(close, start);
  if (end == std::string::npos) {
    end = header.find('}', start);
  }
  if (end == std::string::npos) {
    return corrupt("header ends inside '" + key + "'");
  }
  return header.substr(start, end - start);
}

Result<ops::Shape> parseShape(const std::string &text) {
  ops::Shape shape;
  int64_t value = -1;
  for (char c : text) {
    if (c >= '0' && c <= '9') {
      value = (value < 0 ? 0 : value) * 10 + (c - '0');
      if (value > (int64_t{1} << 40)) {
        return corrupt("dimension too large in shape " + text);
      }
    } else if (c == ',' && value >= 0) {
      shape.push_back(value);
      value = -1;
    } else if (c != '(' && c != ' ' && c != ',') {
      return corrupt("bad shape " + text);
    }
  }
  if (value >= 0) {
    shape.push_back(value);
  }
  return shape;
}

Result<DataType> parseDescriptor(const std::string &quoted) {
  for (const Descriptor &d : kDescriptors) {
    std::string text = d.text;
    if (quoted == "'" + text + "'" || (text[0] == '|' && quoted.size() == 5 &&
                                       quoted.substr(2, 2) == text.substr(1))) {
      return d.type;
    }
  }
  return Status(StatusCode::kUnsupported,
                ".npy: element type " + quoted +
                    "; supported: little-endian numbers and bool");
}

} // namespace

Result<HostTensor> parseNpy(std::span<const uint8_t> bytes) {
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic, kMagicSize) != 0) {
    return corrupt("not a numpy file (bad magic or shorter than 10 bytes)");
  }
  bool wide = bytes[6] >= 2;
  size_t prefix = wide ? 12 : 10;
  if (bytes[6] < 1 || bytes[6] > 3 || bytes.size() < prefix) {
    return corrupt("format version " + std::to_string(bytes[6]) +
                   "; supported: 1 to 3");
  }
  size_t length = bytes[8] | bytes[9] << 8;
  if (wide) {
    length |= size_t{bytes[10]} << 16 | size_t{bytes[11]} << 24;
  }
  if (bytes.size() - prefix < length) {
    return corrupt("truncated header");
  }
  std::string header(bytes.begin() + prefix, bytes.begin() + prefix + length);
  KILN_ASSIGN_OR_RETURN(std::string descr, field(header, "descr"));
  KILN_ASSIGN_OR_RETURN(std::string order, field(header, "fortran_order"));
  KILN_ASSIGN_OR_RETURN(std::string dims, field(header, "shape"));
  if (order != "False") {
    return Status(StatusCode::kUnsupported,
                  ".npy: Fortran order; save numpy.ascontiguousarray(x)");
  }
  HostTensor tensor;
  KILN_ASSIGN_OR_RETURN(tensor.type, parseDescriptor(descr));
  KILN_ASSIGN_OR_RETURN(tensor.shape, parseShape(dims));
  size_t count = bytes.size() - prefix - length;
  double wanted = double(ops::sizeOf(tensor.type));
  for (int64_t d : tensor.shape) {
    wanted *= double(d);
  }
  if (wanted != double(count)) {
    return corrupt("data has " + std::to_string(count) + " bytes, " +
                   describe(tensor) + " needs another number");
  }
  tensor.bytes.assign(bytes.begin() + prefix + length, bytes.end());
  return tensor;
}

Result<std::vector<uint8_t>> formatNpy(const HostTensor &tensor) {
  const char *descriptor = nullptr;
  for (const Descriptor &d : kDescriptors) {
    descriptor = d.type == tensor.type ? d.text : descriptor;
  }
  if (!descriptor) {
    return Status(StatusCode::kUnsupported,
                  "numpy has no type " + std::string(ops::name(tensor.type)) +
                      "; write a .pb file");
  }
  std::string shape;
  for (int64_t d : tensor.shape) {
    shape += std::to_string(d) + ", ";
  }
  if (tensor.shape.size() > 1) {
    shape.resize(shape.size() - 2);
  } else if (!shape.empty()) {
    shape.resize(shape.size() - 1);
  }
  std::string header = "{'descr': '" + std::string(descriptor) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  while ((kMagicSize + 4 + header.size() + 1) % 64 != 0) {
    header += ' ';
  }
  header += '\n';
  std::vector<uint8_t> bytes(kMagic, kMagic + kMagicSize);
  for (size_t b :
       {size_t{1}, size_t{0}, header.size() & 255, header.size() >> 8}) {
    bytes.push_back(static_cast<uint8_t>(b));
  }
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), tensor.bytes.begin(), tensor.bytes.end());
  return bytes;
}

} // namespace kiln::tools
