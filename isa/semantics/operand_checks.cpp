// SPDX-License-Identifier: Apache-2.0
#include "isa/semantics/operand_checks.h"

#include <numeric>

namespace kiln::isa::semantics {

namespace {

uint64_t operandValue(const Command &c, unsigned i) {
  return i == 0 ? c.rs1 : i == 1 ? c.rs2 : c.rs3;
}

/// Layouts with an address hold it in the low 24 bits, GM ones in 48.
uint64_t addressOf(const OperandInfo &operand, uint64_t value) {
  return operand.layout == Layout::kGmAddress ? value : value & 0xff'ffff;
}

MaybeFault checkOperand(const Command &c, unsigned i) {
  const OperandInfo &operand = info(c.op).operand[i];
  const uint64_t value = operandValue(c, i);
  if (operand.layout == Layout::kNone) {
    return std::nullopt; // x0: the value is not looked at
  }
  if ((value & ~operand.usedBits) != 0) {
    return makeFault(FaultKind::kIllegalInstruction,
                     "operand {} is {:#x}; bits {:#x} are unused here and must "
                     "be 0",
                     operand.name, value, value & ~operand.usedBits);
  }
  if (operand.hasSpace && operand.align > 1) {
    const uint64_t addr = addressOf(operand, value);
    if (addr % operand.align != 0) {
      return makeFault(FaultKind::kMisaligned,
                       "{} address {:#x} in {} is not a multiple of {}",
                       operand.name, addr, name(operand.space), operand.align);
    }
  }
  return std::nullopt;
}

} // namespace

MaybeFault checkTable(const Command &c) {
  const OpcodeInfo &table = info(c.op);
  if (c.f3 > 7 || ((table.f3Mask >> c.f3) & 1) == 0) {
    return makeFault(FaultKind::kIllegalInstruction,
                     "f3 is {}; {} allows the values of mask {:#x}", c.f3,
                     table.mnemonic, table.f3Mask);
  }
  for (unsigned i = 0; i < 3; ++i) {
    if (MaybeFault fault = checkOperand(c, i)) {
      return fault;
    }
  }
  return std::nullopt;
}

MaybeFault checkRowsApart(const LocalView &view, uint64_t rows, uint64_t blocks,
                          std::string_view operand) {
  if (blocks > 1 && view.blkStride == 0) {
    return makeFault(FaultKind::kIllegalOperand,
                     "{} blk_stride is 0 with {} blocks per row; the blocks "
                     "would overwrite one another",
                     operand, blocks);
  }
  if (rows <= 1) {
    return std::nullopt;
  }
  // Blocks (i,j) and (i',j') coincide when (i-i')*rowStride = (j'-j)*blkStride;
  // the smallest solution has i-i' = blkStride/g, j'-j = rowStride/g.
  const uint64_t rowStride = view.rowStride;
  const uint64_t blkStride = blocks > 1 ? view.blkStride : 0;
  const uint64_t g = std::gcd(rowStride, blkStride);
  const bool collide =
      rowStride == 0 ||
      (blkStride != 0 && blkStride / g < rows && rowStride / g < blocks);
  if (collide) {
    return makeFault(FaultKind::kOverlap,
                     "{} rows overlap one another: row_stride {} and "
                     "blk_stride {} with {} rows of {} blocks",
                     operand, rowStride, view.blkStride, rows, blocks);
  }
  return std::nullopt;
}

void addView(Footprint &out, Space space, bool write, const LocalView &view,
             uint64_t rows, uint64_t rowBytes) {
  const uint64_t rowStride = kBlockBytes * view.rowStride;
  const uint64_t blkStride = kBlockBytes * view.blkStride;
  if (blkStride == kBlockBytes || rowBytes <= kBlockBytes) {
    addRange(out, {.space = space,
                   .write = write,
                   .base = view.addr,
                   .bytes = rowBytes,
                   .count = {rows, 1},
                   .stride = {rowStride, 0}});
    return;
  }
  const uint64_t full = rowBytes / kBlockBytes;
  addRange(out, {.space = space,
                 .write = write,
                 .base = view.addr,
                 .bytes = kBlockBytes,
                 .count = {full, rows},
                 .stride = {blkStride, rowStride}});
  addRange(out, {.space = space,
                 .write = write,
                 .base = view.addr + full * blkStride,
                 .bytes = rowBytes % kBlockBytes,
                 .count = {rows, 1},
                 .stride = {rowStride, 0},
                 .tail = true});
}

} // namespace kiln::isa::semantics
