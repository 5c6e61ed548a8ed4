// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/byte_ops.h"

#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

namespace kiln {

template <typename T> static T loadAs(const Constant &constant, int64_t i) {
  T value;
  std::memcpy(&value, constant.bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
static void storeAs(Constant &constant, int64_t i, T value) {
  std::memcpy(constant.bytes.data() + i * sizeof(T), &value, sizeof(T));
}

static float bf16ToFloat(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

static uint16_t floatToBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (std::isnan(value)) {
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  }
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

double loadElement(const Constant &constant, int64_t i) {
  switch (constant.type) {
  case ElementType::kF16:
    return static_cast<double>(loadAs<_Float16>(constant, i));
  case ElementType::kBf16:
    return bf16ToFloat(loadAs<uint16_t>(constant, i));
  case ElementType::kF32:
    return loadAs<float>(constant, i);
  case ElementType::kF64:
    return loadAs<double>(constant, i);
  default:
    return static_cast<double>(loadInteger(constant, i));
  }
}

int64_t loadInteger(const Constant &constant, int64_t i) {
  switch (constant.type) {
  case ElementType::kI8:
    return loadAs<int8_t>(constant, i);
  case ElementType::kU8:
  case ElementType::kBool:
    return loadAs<uint8_t>(constant, i);
  case ElementType::kI16:
    return loadAs<int16_t>(constant, i);
  case ElementType::kU16:
    return loadAs<uint16_t>(constant, i);
  case ElementType::kI32:
    return loadAs<int32_t>(constant, i);
  case ElementType::kU32:
    return loadAs<uint32_t>(constant, i);
  case ElementType::kI64:
    return loadAs<int64_t>(constant, i);
  case ElementType::kU64:
    return static_cast<int64_t>(loadAs<uint64_t>(constant, i));
  default:
    assert(false && "loadInteger needs an integer constant");
    return 0;
  }
}

template <typename T>
static void storeInteger(Constant &constant, int64_t i, double value) {
  double low = static_cast<double>(std::numeric_limits<T>::min());
  double high = static_cast<double>(std::numeric_limits<T>::max());
  if (std::isnan(value)) {
    storeAs<T>(constant, i, 0);
  } else if (value <= low) {
    storeAs<T>(constant, i, std::numeric_limits<T>::min());
  } else if (value >= high) {
    storeAs<T>(constant, i, std::numeric_limits<T>::max());
  } else {
    storeAs<T>(constant, i, static_cast<T>(value));
  }
}

void storeElement(Constant &constant, int64_t i, double value) {
  switch (constant.type) {
  case ElementType::kF16:
    return storeAs(constant, i, static_cast<_Float16>(value));
  case ElementType::kBf16:
    return storeAs(constant, i, floatToBf16(static_cast<float>(value)));
  case ElementType::kF32:
    return storeAs(constant, i, static_cast<float>(value));
  case ElementType::kF64:
    return storeAs(constant, i, value);
  case ElementType::kI8:
    return storeInteger<int8_t>(constant, i, value);
  case ElementType::kU8:
    return storeInteger<uint8_t>(constant, i, value);
  case ElementType::kBool:
    return storeAs<uint8_t>(constant, i, value != 0);
  case ElementType::kI16:
    return storeInteger<int16_t>(constant, i, value);
  case ElementType::kU16:
    return storeInteger<uint16_t>(constant, i, value);
  case ElementType::kI32:
    return storeInteger<int32_t>(constant, i, value);
  case ElementType::kU32:
    return storeInteger<uint32_t>(constant, i, value);
  case ElementType::kI64:
    return storeInteger<int64_t>(constant, i, value);
  case ElementType::kU64:
    return storeInteger<uint64_t>(constant, i, value);
  }
}

Constant makeConstant(ElementType type, std::vector<int64_t> shape) {
  Constant result{type, std::move(shape), {}};
  result.bytes.resize(result.elementCount() * elementBytes(type));
  return result;
}

Constant splatConstant(ElementType type, std::vector<int64_t> shape,
                       double value) {
  Constant result = makeConstant(type, std::move(shape));
  for (int64_t i = 0, n = result.elementCount(); i < n; ++i) {
    storeElement(result, i, value);
  }
  return result;
}

bool isSplat(const Constant &constant) {
  size_t size = elementBytes(constant.type);
  if (constant.bytes.empty()) {
    return false;
  }
  for (size_t i = size; i < constant.bytes.size(); i += size) {
    if (std::memcmp(constant.bytes.data(), constant.bytes.data() + i, size)) {
      return false;
    }
  }
  return true;
}

Constant reshapeConstant(const Constant &constant, std::vector<int64_t> shape) {
  return {constant.type, std::move(shape), constant.bytes};
}

static std::vector<int64_t> rowMajorStrides(std::span<const int64_t> shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * shape[i];
  }
  return strides;
}

// Calls visit(destination element, source element) for every element of a
// box: the destination is dense row-major, the source advances by `strides`.
template <typename Visit>
static void walkBox(std::span<const int64_t> shape,
                    std::span<const int64_t> strides, int64_t source,
                    Visit visit) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    count *= dim;
  }
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    visit(i, source);
    for (size_t d = shape.size(); d-- > 0;) {
      source += strides[d];
      if (++index[d] < shape[d]) {
        break;
      }
      source -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

static void copyElement(Constant &to, int64_t toIndex, const Constant &from,
                        int64_t fromIndex) {
  size_t size = elementBytes(to.type);
  std::memcpy(to.bytes.data() + toIndex * size,
              from.bytes.data() + fromIndex * size, size);
}

Constant transposeConstant(const Constant &constant,
                           std::span<const int64_t> permutation) {
  std::vector<int64_t> sourceStrides = rowMajorStrides(constant.shape);
  std::vector<int64_t> shape, strides;
  for (int64_t axis : permutation) {
    shape.push_back(constant.shape[axis]);
    strides.push_back(sourceStrides[axis]);
  }
  Constant result = makeConstant(constant.type, shape);
  walkBox(shape, strides, 0, [&](int64_t to, int64_t from) {
    copyElement(result, to, constant, from);
  });
  return result;
}

Constant castConstant(const Constant &constant, ElementType type) {
  if (type == constant.type) {
    return constant;
  }
  Constant result = makeConstant(type, constant.shape);
  int64_t count = result.elementCount();
  if (!isFloat(type) && !isFloat(constant.type) && elementBytes(type) == 8 &&
      elementBytes(constant.type) == 8) {
    result.bytes = constant.bytes;
    return result;
  }
  for (int64_t i = 0; i < count; ++i) {
    storeElement(result, i, loadElement(constant, i));
  }
  return result;
}

Constant padConstant(const Constant &constant, std::span<const int64_t> begin,
                     std::span<const int64_t> end, double value) {
  std::vector<int64_t> shape = constant.shape;
  for (size_t d = 0; d < shape.size(); ++d) {
    shape[d] += begin[d] + end[d];
  }
  Constant result = splatConstant(constant.type, shape, value);
  std::vector<int64_t> strides = rowMajorStrides(shape);
  int64_t origin = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    origin += begin[d] * strides[d];
  }
  walkBox(constant.shape, strides, origin, [&](int64_t from, int64_t to) {
    copyElement(result, to, constant, from);
  });
  return result;
}

Constant sliceConstant(const Constant &constant,
                       std::span<const int64_t> starts,
                       std::span<const int64_t> shape,
                       std::span<const int64_t> steps) {
  std::vector<int64_t> strides = rowMajorStrides(constant.shape);
  int64_t origin = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    origin += starts[d] * strides[d];
    strides[d] *= steps[d];
  }
  Constant result = makeConstant(
      constant.type, std::vector<int64_t>(shape.begin(), shape.end()));
  walkBox(shape, strides, origin, [&](int64_t to, int64_t from) {
    copyElement(result, to, constant, from);
  });
  return result;
}

Constant concatConstants(std::span<const Constant *const> parts, size_t axis) {
  assert(!parts.empty() && "a concatenation needs a part");
  std::vector<int64_t> shape = parts[0]->shape;
  for (const Constant *part : parts.subspan(1)) {
    shape[axis] += part->shape[axis];
  }
  Constant result = makeConstant(parts[0]->type, shape);
  std::vector<int64_t> strides = rowMajorStrides(shape);
  int64_t origin = 0;
  for (const Constant *part : parts) {
    walkBox(part->shape, strides, origin, [&](int64_t from, int64_t to) {
      copyElement(result, to, *part, from);
    });
    origin += part->shape[axis] * strides[axis];
  }
  return result;
}

} // namespace kiln
