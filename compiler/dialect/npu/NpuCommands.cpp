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

/// src0 and src1 read.
template <typename Op> void addSources(Op op, Accesses &accesses) {
  addRead(accesses, op.getSrc0Mutable(), op.getSrc0Offset());
  addRead(accesses, op.getSrc1Mutable(), op.getSrc1Offset());
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
KILN_NPU_MOVE(MoveL1Op, MTE3)
KILN_NPU_MOVE(LoadL0Op, MTE1)
KILN_NPU_MOVE(LoadIm2colOp, MTE1)
KILN_NPU_MOVE(LoadBiasOp, MTE1)
KILN_NPU_MOVE(VUnaryOp, V)
KILN_NPU_MOVE(VCastOp, V)
KILN_NPU_MOVE(VReduceOp, V)
KILN_NPU_MOVE(VBroadcastOp, V)
KILN_NPU_MOVE(VTransposeOp, V)
KILN_NPU_MOVE(VCompareScalarOp, V)
KILN_NPU_MOVE(VPairsOp, V)
#undef KILN_NPU_MOVE

// A command whose pipe and effects follow the rule; its accesses come below.
#define KILN_NPU_COMMAND(OP, PIPE)                                             \
  isa::Pipe OP::getPipe() { return PIPE; }                                     \
  void OP::getEffects(Effects &effects) { effectsOf(*this, effects); }         \
  void OP::getAccesses(Accesses &accesses)

KILN_NPU_COMMAND(StoreOp, isa::Pipe::MTE3) {
  if (getMode() == StoreMode::store) {
    addWrite(accesses, getDstMutable(), getDstOffset());
  } else {
    addUpdate(accesses, getDstMutable(), getDstOffset());
  }
  addRead(accesses, getSrcMutable(), getSrcOffset());
}

KILN_NPU_COMMAND(FixOp, isa::Pipe::FIX) {
  addMove(*this, accesses);
  if (getScales()) {
    addRead(accesses, getScalesMutable()[0], getScalesOffset());
  }
  if (getSlopes()) {
    addRead(accesses, getSlopesMutable()[0], getSlopesOffset());
  }
}

KILN_NPU_COMMAND(VScalarOp, isa::Pipe::V) {
  if (getKind() == ScalarKind::madds) {
    addUpdate(accesses, getDstMutable(), getDstOffset());
  } else {
    addWrite(accesses, getDstMutable(), getDstOffset());
  }
  addRead(accesses, getSrcMutable(), getSrcOffset());
}

KILN_NPU_COMMAND(VBinaryOp, isa::Pipe::V) {
  if (getKind() == BinaryKind::madd) {
    addUpdate(accesses, getDstMutable(), getDstOffset());
  } else {
    addWrite(accesses, getDstMutable(), getDstOffset());
  }
  addSources(*this, accesses);
}

KILN_NPU_COMMAND(VCompareOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
  addSources(*this, accesses);
}

KILN_NPU_COMMAND(VMergeOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
  addSources(*this, accesses);
}

KILN_NPU_COMMAND(VSelectOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
  addRead(accesses, getMaskMutable(), getMaskOffset());
  addSources(*this, accesses);
}

KILN_NPU_COMMAND(VDupOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
}

KILN_NPU_COMMAND(VIotaOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
}

KILN_NPU_COMMAND(VGatherOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
  addRead(accesses, getTableMutable(), getTableOffset());
  addRead(accesses, getIndexMutable(), getIndexOffset());
}

KILN_NPU_COMMAND(VGatherBlocksOp, isa::Pipe::V) {
  addWrite(accesses, getDstMutable(), getDstOffset());
  addRead(accesses, getTableMutable(), getTableOffset());
  addRead(accesses, getIndexMutable(), getIndexOffset());
}

KILN_NPU_COMMAND(VScatterOp, isa::Pipe::V) {
  addUpdate(accesses, getTableMutable(), getTableOffset());
  addRead(accesses, getSrcMutable(), getSrcOffset());
  addRead(accesses, getIndexMutable(), getIndexOffset());
}

KILN_NPU_COMMAND(VSort32Op, isa::Pipe::V) {
  addMove(*this, accesses);
  addRead(accesses, getIndexMutable(), getIndexOffset());
}

KILN_NPU_COMMAND(MmadOp, isa::Pipe::M) {
  addUpdate(accesses, getAccMutable(), getAccOffset());
  addRead(accesses, getAMutable(), getAOffset());
  addRead(accesses, getBMutable(), getBOffset());
  if (getBias()) {
    addRead(accesses, getBiasMutable()[0], getBiasOffset());
  }
}

KILN_NPU_COMMAND(PendOp, isa::Pipe::MTE2) {
  addWrite(accesses, getTensorMutable(), Value());
}

KILN_NPU_COMMAND(ScalarLoadOp, isa::Pipe::S) {
  addRead(accesses, getSrcMutable(), getSrcOffset());
}

KILN_NPU_COMMAND(ScalarStoreOp, isa::Pipe::S) {
  addWrite(accesses, getDstMutable(), getDstOffset());
}
#undef KILN_NPU_COMMAND

isa::Pipe PostOp::getPipe() { return static_cast<isa::Pipe>(getFrom()); }
void PostOp::getAccesses(Accesses &accesses) {
  addRead(accesses, getTensorMutable(), Value());
}
void PostOp::getEffects(Effects &effects) {
  effectsOf(*this, effects);
  // The semaphore: without it the command would be dead.
  effects.emplace_back(MemoryEffects::Write::get(),
                       SideEffects::DefaultResource::get());
}

void AllocOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Allocate::get(),
                       getOperation()->getOpResult(0),
                       SideEffects::DefaultResource::get());
}

void AllocOp::build(OpBuilder &builder, OperationState &state, MemRefType type,
                    StringRef name, int64_t depth) {
  build(builder, state, type, /*slot=*/Value(), builder.getStringAttr(name),
        builder.getI64IntegerAttr(depth), /*address=*/IntegerAttr(),
        /*pitch=*/IntegerAttr());
}

int64_t AllocOp::slotPitch() {
  return getPitch().value_or(localBytes(getType()));
}

int64_t AllocOp::extent() {
  return (static_cast<int64_t>(getDepth()) - 1) * slotPitch() +
         localBytes(getType());
}

} // namespace kiln::npu
