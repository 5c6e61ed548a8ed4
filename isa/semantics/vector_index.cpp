// SPDX-License-Identifier: Apache-2.0
//
// V: sequences, gather and scatter, sorting for top-k.
#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"
#include "isa/numerics/vector_sort.h"
#include "isa/semantics/vector_works.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

/// A row of an operand as one array; its copy when it is in blocks.
std::vector<std::byte> rowOf(const Walk &walk, uint64_t row, uint64_t cols) {
  std::vector<std::byte> bytes(cols * walk.elementBytes);
  for (uint64_t e = 0; e < cols; e += kPieceElements) {
    const uint64_t n = std::min(kPieceElements, cols - e);
    PieceBuffer buffer;
    std::memcpy(bytes.data() + e * walk.elementBytes,
                gather(walk, row, e, n, buffer.bytes), n * walk.elementBytes);
  }
  return bytes;
}

/// Rows of pairs are rows of I32 elements, two each.
std::vector<uint64_t> pairsOf(const Walk &walk, uint64_t row, uint64_t pairs) {
  const std::vector<std::byte> bytes = rowOf(walk, row, 2 * pairs);
  std::vector<uint64_t> out(pairs);
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

/// A row that does not overlap the sources, in pieces of blocks.
void storeRow(const Walk &walk, uint64_t row, const void *values,
              uint64_t cols) {
  scatter(walk, row, 0, cols, static_cast<const std::byte *>(values));
}

} // namespace

void sequence(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub);
  std::vector<std::byte> row(v.cols * sizeOf(v.type));
  for (uint64_t e = 0; e < v.cols; ++e) {
    storeElement(v.type, row.data(), e,
                 oracle::VectorOracle<>::sequence(v.type, v.scalar, v.step,
                                                  static_cast<uint32_t>(e)));
  }
  for (uint64_t r = 0; r < v.rows; ++r) {
    storeRow(dst, r, row.data(), v.cols);
  }
}

void gatherTable(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), index(v.src0, ub);
  const std::byte *table = ub + v.src1.view.addr;
  for (uint64_t r = 0; r < v.rows; ++r) {
    for (uint64_t e = 0; e < v.cols; ++e) {
      const uint32_t i = loadElement(ElementType::I32, index.at(r, e), 0);
      storeElement(v.type, dst.at(r, e), 0,
                   i < v.src1.cols ? loadElement(v.type, table, i) : 0);
    }
  }
}

void gatherBlocks(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), index(v.src0, ub);
  const std::byte *table = ub + v.src1.view.addr;
  const uint64_t perBlock = kBlockBytes / sizeOf(v.type);
  for (uint64_t r = 0; r < v.rows; ++r) {
    for (uint64_t b = 0; b < v.cols; ++b) {
      const uint64_t i = loadElement(ElementType::I32, index.at(r, b), 0);
      std::byte *to = dst.at(r, b * perBlock);
      if (i * perBlock < v.src1.cols) {
        std::memcpy(to, table + i * kBlockBytes, kBlockBytes);
      } else {
        std::memset(to, 0, kBlockBytes);
      }
    }
  }
}

void scatterTable(const VectorCommand &v, std::byte *ub) {
  const Walk values(v.src0, ub), index(v.src1, ub);
  std::byte *table = ub + v.dst.view.addr;
  for (uint64_t r = 0; r < v.rows; ++r) {
    for (uint64_t e = 0; e < v.cols; ++e) {
      const uint32_t i = loadElement(ElementType::I32, index.at(r, e), 0);
      if (i < v.dst.cols) {
        storeElement(v.type, table, i, loadElement(v.type, values.at(r, e), 0));
      }
    }
  }
}

void sort32(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), keys(v.src0, ub), index(v.src1, ub);
  std::vector<uint64_t> pairs(v.cols);
  for (uint64_t r = 0; r < v.rows; ++r) {
    const std::vector<std::byte> row = rowOf(keys, r, v.cols);
    const std::vector<std::byte> with = rowOf(index, r, v.cols);
    std::vector<uint32_t> indices(v.cols);
    std::memcpy(indices.data(), with.data(), with.size());
    for (uint64_t e = 0; e < v.cols; e += numerics::kSortGroup) {
      numerics::sortGroup(v.type, row.data() + e * sizeOf(v.type),
                          indices.data() + e, pairs.data() + e,
                          std::min<uint64_t>(numerics::kSortGroup, v.cols - e));
    }
    storeRow(dst, r, pairs.data(), 2 * v.cols);
  }
}

void mergeLists(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), first(v.src0, ub), second(v.src1, ub);
  const uint64_t numA = v.src0.cols / 2, numB = v.src1.cols / 2;
  std::vector<uint64_t> merged(numA + numB);
  for (uint64_t r = 0; r < v.rows; ++r) {
    const std::vector<uint64_t> a = pairsOf(first, r, numA);
    const std::vector<uint64_t> b = pairsOf(second, r, numB);
    numerics::mergePairs(v.type, a.data(), numA, b.data(), numB, merged.data());
    storeRow(dst, r, merged.data(), 2 * merged.size());
  }
}

void splitPairs(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), src(v.src0, ub);
  const unsigned shift = v.op == Opcode::kVpairI ? 32 : 0;
  std::vector<std::byte> row(v.cols * sizeOf(v.dst.type));
  for (uint64_t r = 0; r < v.rows; ++r) {
    const std::vector<uint64_t> pairs = pairsOf(src, r, v.cols);
    for (uint64_t e = 0; e < v.cols; ++e) {
      storeElement(v.dst.type, row.data(), e,
                   static_cast<uint32_t>(pairs[e] >> shift));
    }
    storeRow(dst, r, row.data(), v.cols);
  }
}

} // namespace kiln::isa::semantics
