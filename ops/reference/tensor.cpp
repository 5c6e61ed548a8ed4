// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace kiln::ops {
namespace {

constexpr double kMaxExactInteger = 9007199254740992.0; // 2^53

template <typename T> T loadAs(const uint8_t *p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

template <typename T> void storeAs(uint8_t *p, T value) {
  std::memcpy(p, &value, sizeof(T));
}

float bf16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Nearest bf16 of a double, ties to even, with one rounding: the candidates
/// are the truncation toward zero and its successor in magnitude.
uint16_t doubleToBf16(double value) {
  if (std::isnan(value)) {
    return 0x7fc0;
  }
  if (std::isinf(value)) {
    return std::signbit(value) ? 0xff80 : 0x7f80;
  }
  float f = static_cast<float>(value);
  uint32_t bits = std::bit_cast<uint32_t>(f);
  if (std::abs(static_cast<double>(f)) > std::abs(value)) {
    --bits; // make the float a truncation toward zero
  }
  uint16_t low = static_cast<uint16_t>(bits >> 16);
  uint16_t high = static_cast<uint16_t>(low + 1);
  double magnitude = std::abs(value);
  double lowValue = std::abs(static_cast<double>(bf16ToFloat(low)));
  double highValue = (high & 0x7fff) == 0x7f80
                         ? std::ldexp(1.0, 128)
                         : std::abs(static_cast<double>(bf16ToFloat(high)));
  double below = magnitude - lowValue;
  double above = highValue - magnitude;
  bool up = above < below || (above == below && (low & 1));
  return up ? high : low;
}

template <typename T> double wrapTo(double value) {
  if (!std::isfinite(value)) {
    return 0;
  }
  double modulus = std::ldexp(1.0, 8 * sizeof(T));
  double wrapped = std::fmod(std::trunc(value), modulus);
  if (wrapped < static_cast<double>(std::numeric_limits<T>::min())) {
    wrapped += modulus;
  } else if (wrapped > static_cast<double>(std::numeric_limits<T>::max())) {
    wrapped -= modulus;
  }
  return wrapped;
}

double loadElement(DataType type, const uint8_t *p) {
  switch (type) {
  case DataType::Bool:
    return *p != 0;
  case DataType::I8:
    return loadAs<int8_t>(p);
  case DataType::U8:
    return *p;
  case DataType::I16:
    return loadAs<int16_t>(p);
  case DataType::U16:
    return loadAs<uint16_t>(p);
  case DataType::I32:
    return loadAs<int32_t>(p);
  case DataType::U32:
    return loadAs<uint32_t>(p);
  case DataType::I64:
    return static_cast<double>(loadAs<int64_t>(p));
  case DataType::U64:
    return static_cast<double>(loadAs<uint64_t>(p));
  case DataType::F16:
    return static_cast<double>(loadAs<_Float16>(p));
  case DataType::BF16:
    return bf16ToFloat(loadAs<uint16_t>(p));
  case DataType::F32:
    return loadAs<float>(p);
  case DataType::F64:
    return loadAs<double>(p);
  }
  return 0;
}

void storeElement(DataType type, double value, uint8_t *p) {
  switch (type) {
  case DataType::Bool:
    *p = value != 0;
    return;
  case DataType::I8:
    return storeAs(p, static_cast<int8_t>(value));
  case DataType::U8:
    return storeAs(p, static_cast<uint8_t>(value));
  case DataType::I16:
    return storeAs(p, static_cast<int16_t>(value));
  case DataType::U16:
    return storeAs(p, static_cast<uint16_t>(value));
  case DataType::I32:
    return storeAs(p, static_cast<int32_t>(value));
  case DataType::U32:
    return storeAs(p, static_cast<uint32_t>(value));
  case DataType::I64:
    return storeAs(p, static_cast<int64_t>(value));
  case DataType::U64:
    return storeAs(p, static_cast<uint64_t>(value));
  case DataType::F16:
    return storeAs(p, static_cast<_Float16>(value));
  case DataType::BF16:
    return storeAs(p, doubleToBf16(value));
  case DataType::F32:
    return storeAs(p, static_cast<float>(value));
  case DataType::F64:
    return storeAs(p, value);
  }
}

} // namespace

int64_t elementCount(const Shape &shape) {
  int64_t count = 1;
  for (int64_t d : shape) {
    count *= d;
  }
  return count;
}

std::string toString(const Shape &shape) {
  if (shape.empty()) {
    return "scalar";
  }
  std::string text;
  for (int64_t d : shape) {
    text += (text.empty() ? "" : "x") + std::to_string(d);
  }
  return text;
}

std::vector<int64_t> stridesOf(const Shape &shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

double roundTo(DataType type, double value) {
  switch (type) {
  case DataType::Bool:
    return value != 0;
  case DataType::I8:
    return wrapTo<int8_t>(value);
  case DataType::U8:
    return wrapTo<uint8_t>(value);
  case DataType::I16:
    return wrapTo<int16_t>(value);
  case DataType::U16:
    return wrapTo<uint16_t>(value);
  case DataType::I32:
    return wrapTo<int32_t>(value);
  case DataType::U32:
    return wrapTo<uint32_t>(value);
  case DataType::I64:
  case DataType::U64:
    return std::trunc(value);
  case DataType::F16:
    return static_cast<double>(static_cast<_Float16>(value));
  case DataType::BF16:
    return bf16ToFloat(doubleToBf16(value));
  case DataType::F32:
    return static_cast<float>(value);
  case DataType::F64:
    return value;
  }
  return value;
}

void roundTo(Tensor &tensor) {
  for (double &v : tensor.values) {
    v = roundTo(tensor.type, v);
  }
}

Result<Tensor> fromBytes(DataType type, Shape shape,
                         std::span<const uint8_t> bytes) {
  size_t size = sizeOf(type);
  if (bytes.size() != static_cast<size_t>(elementCount(shape)) * size) {
    return Status(StatusCode::kInvalidArgument,
                  "tensor of " + toString(shape) + " " +
                      std::string(name(type)) + " needs " +
                      std::to_string(elementCount(shape) * size) +
                      " bytes, found " + std::to_string(bytes.size()));
  }
  Tensor tensor(type, std::move(shape));
  for (int64_t i = 0; i < tensor.count(); ++i) {
    double value = loadElement(type, bytes.data() + i * size);
    if (!isFloat(type) && std::abs(value) > kMaxExactInteger) {
      return Status(StatusCode::kInvalidArgument,
                    "element " + std::to_string(i) +
                        " is beyond 2^53, the largest integer the reference "
                        "operators hold exactly");
    }
    tensor.values[i] = value;
  }
  return tensor;
}

std::vector<uint8_t> toBytes(const Tensor &tensor) {
  size_t size = sizeOf(tensor.type);
  std::vector<uint8_t> bytes(tensor.values.size() * size);
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    storeElement(tensor.type, tensor.values[i], bytes.data() + i * size);
  }
  return bytes;
}

bool nextIndex(std::vector<int64_t> &index, const Shape &shape) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (++index[d] < shape[d]) {
      return true;
    }
    index[d] = 0;
  }
  return false;
}

} // namespace kiln::ops
