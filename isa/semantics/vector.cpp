// SPDX-License-Identifier: Apache-2.0
//
// V: the walk over rows, strides and pieces, and the table from opcode to
// work. The works are in vector_works.h and in a file per family.
#include "isa/semantics/vector_works.h"

#include <algorithm>

namespace kiln::isa::semantics {

const std::byte *gather(const Walk &walk, uint64_t row, uint64_t e, uint64_t n,
                        std::byte *buffer) {
  const std::byte *src = walk.at(row, e);
  if (walk.contiguous(n)) {
    return src;
  }
  const uint64_t bytes = n * walk.elementBytes;
  uint64_t done = 0;
  for (; done + kBlockBytes <= bytes; done += kBlockBytes) {
    std::memcpy(buffer + done, src, kBlockBytes);
    src += walk.blkStride;
  }
  if (done < bytes) {
    std::memcpy(buffer + done, src, bytes - done);
  }
  return buffer;
}

void scatter(const Walk &walk, uint64_t row, uint64_t e, uint64_t n,
             const std::byte *buffer) {
  std::byte *dst = walk.at(row, e);
  const uint64_t bytes = n * walk.elementBytes;
  uint64_t done = 0;
  for (; done + kBlockBytes <= bytes; done += kBlockBytes) {
    std::memcpy(dst, buffer + done, kBlockBytes);
    dst += walk.blkStride;
  }
  if (done < bytes) {
    std::memcpy(dst, buffer + done, bytes - done);
  }
}

void fillElements(ElementType type, std::byte *dst, uint64_t n,
                  uint32_t element) {
  switch (sizeOf(type)) {
  case 1:
    std::memset(dst, static_cast<int>(element), n);
    break;
  case 2: {
    const auto x = static_cast<uint16_t>(element);
    for (uint64_t i = 0; i < n; ++i) {
      std::memcpy(dst + 2 * i, &x, 2);
    }
    break;
  }
  default:
    for (uint64_t i = 0; i < n; ++i) {
      std::memcpy(dst + 4 * i, &element, 4);
    }
  }
}

namespace {

/// What the table names for an opcode: one of the two, or none.
struct VectorWork {
  constexpr VectorWork(std::nullptr_t) {}
  constexpr VectorWork(PieceWork work) : piece(work) {}
  constexpr VectorWork(WholeWork work) : whole(work) {}

  PieceWork piece = nullptr;
  WholeWork whole = nullptr;
};

#define KILN_VECTOR_WORK(opcode, ...) VectorWork(__VA_ARGS__),
constexpr VectorWork kWorks[kNumOpcodes] = {
#include "isa/gen/vector_works.inc"
};
#undef KILN_VECTOR_WORK

struct Operands {
  Walk dst, a, b;
  bool hasA = false, hasB = false, scalar = false;
  uint64_t rows = 0, cols = 0;

  template <typename Fn> bool all(Fn fn) const {
    return fn(dst) && (!hasA || fn(a)) && (!hasB || fn(b));
  }
};

/// Turns rows into one long row where the strides allow it: fewer, longer
/// pieces, the same elements in the same places.
void collapse(Operands &x) {
  const uint64_t cols = x.cols;
  if (x.rows <= 1 ||
      !x.all([&](const Walk &w) { return cols * w.elementBytes % 32 == 0; })) {
    return;
  }
  const bool oneBlock = x.all(
      [&](const Walk &w) { return cols * w.elementBytes == kBlockBytes; });
  const auto join = [&](Walk &w) {
    if (oneBlock) {
      w.blkStride = w.rowStride;
    }
  };
  const bool chained = x.all([&](const Walk &w) {
    return w.rowStride == cols * w.elementBytes / kBlockBytes * w.blkStride;
  });
  if (!oneBlock && !chained) {
    return;
  }
  join(x.dst);
  join(x.a);
  join(x.b);
  x.cols *= x.rows;
  x.rows = 1;
}

void runElementwise(const VectorCommand &v, PieceWork work, std::byte *ub) {
  Operands x;
  x.rows = v.rows;
  x.cols = v.cols;
  x.hasA = v.src0.shape != Shape::kAbsent;
  x.hasB = v.src1.shape != Shape::kAbsent;
  x.dst = Walk(v.dst, ub);
  x.a = x.hasA ? Walk(v.src0, ub) : x.dst;
  x.b = x.hasB ? Walk(v.src1, ub) : x.dst;
  x.scalar = v.shape == VectorShape::kScalar;
  collapse(x);
  PieceBuffer a, b, out;
  if (x.scalar) {
    fillElements(v.src0.type, b.bytes, kPieceElements, v.scalar);
  }
  const bool whole =
      !x.scalar && x.all([&](const Walk &w) { return w.contiguous(x.cols); });
  const uint64_t step = whole ? x.cols : kPieceElements;
  for (uint64_t r = 0; r < x.rows; ++r) {
    for (uint64_t e = 0; e < x.cols; e += step) {
      const uint64_t n = std::min(step, x.cols - e);
      const std::byte *pa = x.hasA ? gather(x.a, r, e, n, a.bytes) : nullptr;
      const std::byte *pb = x.hasB ? gather(x.b, r, e, n, b.bytes) : b.bytes;
      if (x.dst.contiguous(n)) {
        work({v, pa, pb, x.dst.at(r, e), n});
        continue;
      }
      if (v.readsDst) {
        (void)gather(x.dst, r, e, n, out.bytes);
      }
      work({v, pa, pb, out.bytes, n});
      scatter(x.dst, r, e, n, out.bytes);
    }
  }
}

} // namespace

void runVector(const Command &c, const PipeConfig &, CoreMemory &memory) {
  const VectorCommand v = decodeVector(c);
  const VectorWork &work = kWorks[static_cast<unsigned>(c.op)];
  std::byte *ub = memory[Space::UB].data();
  if (work.whole != nullptr) {
    work.whole(v, ub);
  } else {
    runElementwise(v, work.piece, ub);
  }
}

} // namespace kiln::isa::semantics
