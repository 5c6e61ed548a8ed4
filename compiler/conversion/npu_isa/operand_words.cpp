// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/npu_isa/operand_words.h"

#include "compiler/conversion/npu_isa/npu_to_isa.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

Word &Word::add(Value value, unsigned bit) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    return add(constant.getZExtValue(), bit);
  }
  if (value.getType().isIndex()) {
    value = arith::IndexCastOp::create(builder_, loc_, builder_.getI64Type(),
                                       value);
  }
  if (bit != 0) {
    value = arith::ShLIOp::create(builder_, loc_, value, i64(bit));
  }
  sum_ = sum_ ? arith::AddIOp::create(builder_, loc_, sum_, value) : value;
  return *this;
}

Value Word::value() {
  if (!sum_) {
    return i64(constant_);
  }
  return constant_ == 0
             ? sum_
             : arith::AddIOp::create(builder_, loc_, sum_, i64(constant_));
}

Value Word::i64(uint64_t constant) {
  return arith::ConstantIntOp::create(builder_, loc_,
                                      static_cast<int64_t>(constant), 64);
}

uint32_t typeField(Value memref) {
  const auto type =
      elementTypeOf(cast<MemRefType>(memref.getType()).getElementType());
  return static_cast<uint32_t>(*type); // verified by the command
}

Value OperandWords::address(Value base, Value offset) {
  return addressOf(builder_, loc_, base, offset);
}

Value OperandWords::view(Value base, Value offset, int64_t row, int64_t blk,
                         Value count) {
  Word w = at(base, offset).add(static_cast<uint64_t>(row), 24);
  w.add(static_cast<uint64_t>(blk), 40);
  if (count) {
    w.add(count, 48);
  }
  return w.value();
}

Value addressOf(OpBuilder &builder, Location loc, Value base, Value offset) {
  Word word(builder, loc);
  if (auto alloc = base.getDefiningOp<AllocOp>()) {
    word.add(static_cast<uint64_t>(*alloc.getAddress()), 0);
    if (Value slot = alloc.getSlot()) {
      Value pitch =
          arith::ConstantIndexOp::create(builder, loc, alloc.slotPitch());
      word.add(arith::MulIOp::create(builder, loc, slot, pitch), 0);
    }
  } else {
    word.add(memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, base),
             0);
  }
  return word.add(offset, 0).value();
}

} // namespace kiln::npu
