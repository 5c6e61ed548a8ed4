// SPDX-License-Identifier: Apache-2.0
//
// Pipe, accesses and memory effects of every command.
#include "compiler/dialect/npu/NpuOps.h"

using namespace mlir;

namespace kiln::npu {

namespace {

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

/// Reads before writes, as the command does.
void effectsOf(PipeOpInterface op, Effects &effects) {
  SmallVector<OperandAccess> accesses;
  op.getAccesses(accesses);
  auto *resource = SideEffects::DefaultResource::get();
  for (const OperandAccess &access : accesses) {
    if (access.read) {
      effects.emplace_back(MemoryEffects::Read::get(), access.base, resource);
    }
  }
  for (const OperandAccess &access : accesses) {
    if (access.write) {
      effects.emplace_back(MemoryEffects::Write::get(), access.base, resource);
    }
  }
}

using Accesses = SmallVectorImpl<OperandAccess>;

void addRead(Accesses &accesses, OpOperand &base, Value offset) {
  accesses.push_back({&base, offset, /*read=*/true, /*write=*/false});
}
void addWrite(Accesses &accesses, OpOperand &base, Value offset) {
  accesses.push_back({&base, offset, /*read=*/false, /*write=*/true});
}
void addUpdate(Accesses &accesses, OpOperand &base, Value offset) {
  accesses.push_back({&base, offset, /*read=*/true, /*write=*/true});
}

/// dst written, src read: the most frequent pattern.
template <typename Op> void addMove(Op op, Accesses &accesses) {
  addWrite(accesses, op.getDstMutable(), op.getDstOffset());
  addRead(accesses, op.getSrcMutable(), op.getSrcOffset());
}

} // namespace

// The three interface methods of a command whose accesses are dst and src.
#define KILN_NPU_MOVE(OP, PIPE)                                                \
  isa::Pipe OP::getPipe() { return isa::Pipe::PIPE; }                          \
  void OP::getAccesses(Accesses &accesses) { addMove(*this, accesses); }       \
  void OP::getEffects(Effects &effects) { effectsOf(*this, effects); }

KILN_NPU_MOVE(LoadOp, MTE2)
KILN_NPU_MOVE(LoadNzOp, MTE2)
KILN_NPU_MOVE(StoreOp, MTE3)
KILN_NPU_MOVE(MoveL1Op, MTE3)
KILN_NPU_MOVE(LoadL0Op, MTE1)
KILN_NPU_MOVE(LoadIm2colOp, MTE1)
KILN_NPU_MOVE(LoadBiasOp, MTE1)
KILN_NPU_MOVE(FixOp, FIX)
KILN_NPU_MOVE(VScalarOp, V)
KILN_NPU_MOVE(VUnaryOp, V)
KILN_NPU_MOVE(VCastOp, V)
KILN_NPU_MOVE(VReduceOp, V)
KILN_NPU_MOVE(VBroadcastOp, V)
KILN_NPU_MOVE(VTransposeOp, V)
#undef KILN_NPU_MOVE

isa::Pipe VBinaryOp::getPipe() { return isa::Pipe::V; }
void VBinaryOp::getAccesses(Accesses &accesses) {
  if (getKind() == BinaryKind::madd) {
    addUpdate(accesses, getDstMutable(), getDstOffset());
  } else {
    addWrite(accesses, getDstMutable(), getDstOffset());
  }
  addRead(accesses, getSrc0Mutable(), getSrc0Offset());
  addRead(accesses, getSrc1Mutable(), getSrc1Offset());
}
void VBinaryOp::getEffects(Effects &effects) { effectsOf(*this, effects); }

isa::Pipe VDupOp::getPipe() { return isa::Pipe::V; }
void VDupOp::getAccesses(Accesses &accesses) {
  addWrite(accesses, getDstMutable(), getDstOffset());
}
void VDupOp::getEffects(Effects &effects) { effectsOf(*this, effects); }

isa::Pipe MmadOp::getPipe() { return isa::Pipe::M; }
void MmadOp::getAccesses(Accesses &accesses) {
  addUpdate(accesses, getAccMutable(), getAccOffset());
  addRead(accesses, getAMutable(), getAOffset());
  addRead(accesses, getBMutable(), getBOffset());
  if (getBias()) {
    addRead(accesses, getBiasMutable()[0], getBiasOffset());
  }
}
void MmadOp::getEffects(Effects &effects) { effectsOf(*this, effects); }

isa::Pipe ScalarLoadOp::getPipe() { return isa::Pipe::S; }
void ScalarLoadOp::getAccesses(Accesses &accesses) {
  addRead(accesses, getSrcMutable(), getSrcOffset());
}
void ScalarLoadOp::getEffects(Effects &effects) { effectsOf(*this, effects); }

isa::Pipe ScalarStoreOp::getPipe() { return isa::Pipe::S; }
void ScalarStoreOp::getAccesses(Accesses &accesses) {
  addWrite(accesses, getDstMutable(), getDstOffset());
}
void ScalarStoreOp::getEffects(Effects &effects) { effectsOf(*this, effects); }

void AllocOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Allocate::get(),
                       getOperation()->getOpResult(0),
                       SideEffects::DefaultResource::get());
}

void AllocOp::build(OpBuilder &builder, OperationState &state, MemRefType type,
                    StringRef name, int64_t depth) {
  build(builder, state, type, /*slot=*/Value(), builder.getStringAttr(name),
        builder.getI64IntegerAttr(depth), /*address=*/IntegerAttr());
}

} // namespace kiln::npu
