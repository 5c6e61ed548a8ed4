// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/verify_sync.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/loop_turns.h"
#include "compiler/transforms/npu/sync_state.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Pipe;
constexpr unsigned kPipes = isa::kNumPipes;
constexpr auto kControlCore = static_cast<unsigned>(Pipe::S);

std::string text(const FlagName &name) {
  return std::string(isa::kPipeNames[std::get<0>(name)]) + ">" +
         std::string(isa::kPipeNames[std::get<1>(name)]) + "." +
         std::to_string(std::get<2>(name));
}

/// Bytes from `lo` on, before `hi`.
struct Range {
  int64_t lo, hi;

  bool overlaps(const Range &other) const {
    return lo < other.hi && other.lo < hi;
  }
  bool operator==(const Range &) const = default;
};

/// `count` ranges, `pitch` bytes from one to the next: slots of a buffer.
struct Slots {
  Range first;
  int64_t pitch, count;

  bool overlap(const Slots &other) const {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j < other.count; ++j) {
        if (at(i).overlaps(other.at(j))) {
          return true;
        }
      }
    }
    return false;
  }
  Range at(int64_t slot) const {
    return {first.lo + slot * pitch, first.hi + slot * pitch};
  }
  bool operator==(const Slots &) const = default;
};

/// An access of a command to certain bytes: one event.
struct Access {
  Operation *op;
  unsigned pipe;
  isa::Space space;
  Value base; // the argument in GM, else the buffer
  Range slot; // of the buffer as the walk counts them
  /// What the slot may be as seen from other buffers: where the walk's count
  /// has other names than a run's, any of them.
  Slots any;
  bool write;

  bool conflicts(const Access &other) const {
    if (space != other.space || pipe == other.pipe || !(write || other.write)) {
      return false;
    }
    if (base == other.base) {
      return slot.overlaps(other.slot);
    }
    return space != isa::Space::GM && any.overlap(other.any);
  }
  bool operator==(const Access &) const = default;
};

/// The events of a kernel, numbered as they are met: waits first.
class Events {
public:
  static constexpr unsigned kWaits = kPipes * kPipes * isa::kNumFlagIds;

  explicit Events(unsigned most) : ownOfControlCore(most) {
    for (unsigned src = 0; src < kPipes; ++src) {
      for (unsigned id = 0; id < isa::kNumFlagIds; ++id) {
        ownOfControlCore.set(wait({src, kControlCore, id}));
      }
    }
  }

  static unsigned wait(const FlagName &name) {
    const auto [src, dst, id] = name;
    return (src * kPipes + dst) * isa::kNumFlagIds + static_cast<unsigned>(id);
  }
  unsigned access(const Access &access) {
    auto &list = accesses[static_cast<unsigned>(access.space)];
    for (const Known &known : list) {
      if (known.access == access) {
        return known.event;
      }
    }
    list.push_back({access, next_});
    if (access.pipe == kControlCore) {
      ownOfControlCore.set(next_);
    }
    return next_++;
  }

  struct Known {
    Access access;
    unsigned event;
  };
  std::array<std::vector<Known>, isa::kNumSpaces> accesses;
  llvm::BitVector ownOfControlCore;

private:
  unsigned next_ = kWaits;
};

/// At most so many events: every access with every slot, and the waits.
unsigned countEvents(func::FuncOp kernel) {
  unsigned count = Events::kWaits;
  kernel.walk([&](PipeOpInterface op) {
    SmallVector<OperandAccess> operands;
    op.getAccesses(operands);
    for (const OperandAccess &operand : operands) {
      auto alloc = operand.base->get().getDefiningOp<AllocOp>();
      count += alloc ? 1 + static_cast<unsigned>(alloc.getDepth()) : 1;
    }
  });
  return count;
}

/// What a value is asked for. A loop whose trips the walk does not all take is
/// walked as if it took a multiple of the period: slots and flag ids turn with
/// its trips, so that any other count is the same with other names. Which code
/// runs (`if`s, counts of inner loops) does not turn with them: there the
/// values of such a loop are unknown.
enum class Use { kSlot, kPath };

struct Known {
  std::optional<int64_t> &operator[](Use use) {
    return use == Use::kSlot ? slot : path;
  }
  std::optional<int64_t> slot, path;
};

/// What is wrong, and with which op.
struct Problem {
  Operation *op = nullptr;
  std::string text;
  Operation *other = nullptr; // of the note
  const char *note = nullptr;
};

/// The walk; fails at the first problem.
class Walk {
public:
  Walk(func::FuncOp kernel, const PairSet &ignored)
      : kernel_(kernel), ignored_(ignored), turns_(kernel),
        iterations_(turns_.longest() * 4), events_(countEvents(kernel)),
        state_(countEvents(kernel)) {}

  const Problem &problem() const { return problem_; }

  LogicalResult run() {
    if (failed(runBlock(kernel_.getBody().front()))) {
      return failure();
    }
    for (const auto &[name, flag] : state_.flags()) {
      if (flag.set) {
        return fail(flag.setOp, "flag " + text(name) +
                                    " is left set at the end of the kernel");
      }
    }
    return success();
  }

private:
  LogicalResult fail(Operation *op, std::string text,
                     Operation *other = nullptr, const char *note = nullptr) {
    problem_ = {op, std::move(text), other, note};
    return failure();
  }
  bool isIgnored(Operation *op) const {
    auto pair = op->getAttrOfType<IntegerAttr>(kSyncAttr);
    return pair && ignored_.contains(pair.getInt());
  }

  LogicalResult runBlock(Block &block) {
    for (Operation &op : block) {
      LogicalResult result = success();
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        result = runLoop(loop);
      } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
        result = runIf(branch);
      } else if (auto command = dyn_cast<PipeOpInterface>(op)) {
        result = runCommand(command);
      } else if (auto set = dyn_cast<SetFlagOp>(op)) {
        result = isIgnored(set) ? success() : runSet(set);
      } else if (auto wait = dyn_cast<WaitFlagOp>(op)) {
        result = isIgnored(wait) ? success() : runWait(wait);
      } else if (llvm::isa<BarrierOp>(op)) {
        state_.barrier();
      }
      if (failed(result)) {
        return failure();
      }
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  LogicalResult runLoop(scf::ForOp loop) {
    const std::optional<int64_t> count = tripsOf(loop);
    const bool exact = count.has_value();
    const bool whole = exact && *count <= iterations_;
    const int64_t trips = exact ? std::min(*count, iterations_) : iterations_;
    SmallVector<Known> carried;
    for (Value init : loop.getInitArgs()) {
      carried.push_back(know(init, whole));
    }
    const SmallVector<Known> first = carried;
    // The states in which the slots are as at the end: where the loop may
    // stop, and where it may repeat itself.
    std::vector<SyncState> stops;
    int64_t lastStop = 0;
    const bool repeats = !whole || runsAlike(loop);
    for (int64_t trip = 0; trip < trips; ++trip) {
      if (repeats && hasTurned(loop, trip, first, carried)) {
        if (!stops.empty() && stops.back() == state_) {
          if (!whole) {
            break;
          }
          const int64_t period = trip - lastStop;
          trip += (trips - trip) / period * period;
          if (trip == trips) {
            break;
          }
        }
        stops.push_back(state_);
        lastStop = trip;
      }
      known_[loop.getInductionVar()] = inductionOf(loop, trip, whole);
      for (auto [arg, value] : llvm::zip(loop.getRegionIterArgs(), carried)) {
        known_[arg] = value;
      }
      if (failed(runBlock(*loop.getBody()))) {
        return failure();
      }
      for (auto [value, yielded] :
           llvm::zip(carried, loop.getYieldedValues())) {
        value = know(yielded, whole);
      }
    }
    for (auto [result, value] : llvm::zip(loop.getResults(), carried)) {
      known_[result] = value;
    }
    for (const SyncState &stop : stops) {
      if (!exact && failed(joinWith(stop, loop))) {
        return failure();
      }
    }
    return success();
  }

  /// Which code runs in a trip does not depend on the trip.
  bool runsAlike(scf::ForOp loop) const {
    return !turns_.decides(loop.getInductionVar()) &&
           llvm::none_of(loop.getRegionIterArgs(),
                         [&](Value value) { return turns_.decides(value); });
  }

  /// Slots and flag ids of the loop are as at its begin.
  bool hasTurned(scf::ForOp loop, int64_t trip, ArrayRef<Known> first,
                 ArrayRef<Known> now) const {
    if (trip % turns_.longest() == 0) {
      return true;
    }
    const auto arguments = loop.getRegionIterArgs();
    return !turns_.chooses(loop.getInductionVar()) &&
           llvm::all_of(llvm::zip(arguments, first, now), [&](auto entry) {
             const auto &[argument, before, after] = entry;
             return !turns_.chooses(argument) || before.slot == after.slot;
           });
  }

  /// How often the loop runs, where that is one number on every way to it.
  std::optional<int64_t> tripsOf(scf::ForOp loop) {
    const auto lower = evaluate(loop.getLowerBound(), Use::kPath),
               upper = evaluate(loop.getUpperBound(), Use::kPath),
               step = evaluate(loop.getStep(), Use::kPath);
    if (!lower || !upper || !step || *step <= 0) {
      return std::nullopt;
    }
    return std::max<int64_t>((*upper - *lower + *step - 1) / *step, 0);
  }

  Known inductionOf(scf::ForOp loop, int64_t trip, bool whole) {
    Known known;
    for (Use use : {Use::kSlot, Use::kPath}) {
      const auto lower = evaluate(loop.getLowerBound(), use),
                 step = evaluate(loop.getStep(), use);
      if (lower && step && (whole || use == Use::kSlot)) {
        known[use] = *lower + trip * *step;
      }
    }
    return known;
  }

  LogicalResult runIf(scf::IfOp branch) {
    Block *elseBlock = branch.elseBlock();
    if (const auto condition = evaluate(branch.getCondition(), Use::kPath)) {
      Block *block = *condition ? branch.thenBlock() : elseBlock;
      return block ? runBlock(*block) : success();
    }
    const SyncState before = state_;
    if (failed(runBlock(*branch.thenBlock()))) {
      return failure();
    }
    if (!elseBlock) {
      return joinWith(before, branch);
    }
    const SyncState taken = state_;
    state_ = before;
    if (failed(runBlock(*elseBlock))) {
      return failure();
    }
    return joinWith(taken, branch);
  }

  /// The point after `op` is reached from the walk's state or from `other`.
  LogicalResult joinWith(const SyncState &other, Operation *op) {
    if (auto name = state_.differingFlag(other)) {
      return fail(op, "flag " + text(*name) + " is left " +
                          (state_.isSet(*name) ? "set" : "clear") +
                          " here, but only when this code runs");
    }
    state_.join(other);
    return success();
  }

  /// The extent of a tile at an edge: how often the loop inside it runs. It is
  /// at least once at every tile, and how often else does not matter, so any
  /// tile tells which way is gone.
  std::optional<int64_t> least(affine::AffineMinOp op) {
    Builder builder(op.getContext());
    SmallVector<Attribute> operands, results;
    for (Value operand : op.getOperands()) {
      const auto value = evaluate(operand, Use::kSlot);
      if (!value) {
        return std::nullopt;
      }
      operands.push_back(builder.getIndexAttr(*value));
    }
    if (failed(op.getAffineMap().constantFold(operands, results))) {
      return std::nullopt;
    }
    std::optional<int64_t> smallest;
    for (Attribute result : results) {
      const int64_t value = cast<IntegerAttr>(result).getInt();
      smallest = smallest ? std::min(*smallest, value) : value;
    }
    return smallest;
  }

  Known know(Value value, bool whole) {
    Known known;
    known[Use::kSlot] = evaluate(value, Use::kSlot);
    known[Use::kPath] = whole ? evaluate(value, Use::kPath) : std::nullopt;
    return known;
  }

  /// Integer arithmetic over known values, as slots and flag ids need it.
  std::optional<int64_t> evaluate(Value value, Use use) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return constant.getSExtValue();
    }
    if (auto it = known_.find(value); it != known_.end()) {
      return it->second[use];
    }
    Operation *op = value.getDefiningOp();
    if (auto min = dyn_cast_or_null<affine::AffineMinOp>(op)) {
      return least(min);
    }
    if (auto select = dyn_cast_or_null<arith::SelectOp>(op)) {
      const auto condition = evaluate(select.getCondition(), use);
      return condition ? evaluate(*condition ? select.getTrueValue()
                                             : select.getFalseValue(),
                                  use)
                       : std::nullopt;
    }
    if (!op || op->getNumOperands() != 2 ||
        !llvm::isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::XOrIOp,
                   arith::DivUIOp, arith::RemUIOp, arith::CmpIOp>(op)) {
      return std::nullopt;
    }
    const auto a = evaluate(op->getOperand(0), use),
               b = evaluate(op->getOperand(1), use);
    if (!a || !b) {
      return std::nullopt;
    }
    if (llvm::isa<arith::AddIOp>(op)) {
      return *a + *b;
    }
    if (llvm::isa<arith::SubIOp>(op)) {
      return *a - *b;
    }
    if (llvm::isa<arith::MulIOp>(op)) {
      return *a * *b;
    }
    if (llvm::isa<arith::XOrIOp>(op)) {
      return *a ^ *b;
    }
    if (llvm::isa<arith::DivUIOp, arith::RemUIOp>(op)) {
      if (*a < 0 || *b <= 0) {
        return std::nullopt;
      }
      return llvm::isa<arith::DivUIOp>(op) ? *a / *b : *a % *b;
    }
    auto compare = cast<arith::CmpIOp>(op);
    return compare.getPredicate() == arith::CmpIPredicate::eq
               ? std::optional<int64_t>(*a == *b)
               : std::nullopt;
  }

  //===--------------------------------------------------------------------===//
  // Commands and flags
  //===--------------------------------------------------------------------===//

  LogicalResult runCommand(PipeOpInterface op) {
    const auto pipe = static_cast<unsigned>(op.getPipe());
    state_.issue(pipe, events_.ownOfControlCore);
    SmallVector<OperandAccess> operands;
    op.getAccesses(operands);
    SmallVector<Access> done;
    for (const OperandAccess &operand : operands) {
      Access access = describe(op, operand.base->get());
      access.pipe = pipe;
      access.write = operand.write;
      if (failed(check(op, access))) {
        return failure();
      }
      done.push_back(access);
    }
    for (const Access &access : done) {
      state_.happen(pipe, events_.access(access));
    }
    return success();
  }

  Access describe(Operation *op, Value base) {
    Access access{op, 0, *spaceOf(base.getType()), base, {0, 1}, {}, false};
    auto alloc = base.getDefiningOp<AllocOp>();
    if (!alloc) {
      return access;
    }
    const int64_t begin = alloc.getAddress().value_or(0);
    const Slots all = {{begin, begin + localBytes(alloc.getType())},
                       alloc.slotPitch(),
                       static_cast<int64_t>(alloc.getDepth())};
    const auto number = [&](Use use) {
      return alloc.getSlot() ? evaluate(alloc.getSlot(), use)
                             : std::optional<int64_t>();
    };
    const auto walked = number(Use::kSlot), known = number(Use::kPath);
    access.slot =
        walked ? all.at(*walked) : Range{begin, begin + alloc.extent()};
    access.any = known ? Slots{all.at(*known), 0, 1} : all;
    return access;
  }

  LogicalResult check(Operation *op, const Access &access) {
    for (const Events::Known &other :
         events_.accesses[static_cast<unsigned>(access.space)]) {
      if (!other.access.conflicts(access) ||
          state_.knows(access.pipe, other.event)) {
        continue;
      }
      return fail(op,
                  "race in " + std::string(isa::name(access.space)) +
                      ": pipe " + std::string(isa::kPipeNames[access.pipe]) +
                      (access.write ? " writes" : " reads") +
                      " bytes that no flag orders after a command of pipe " +
                      std::string(isa::kPipeNames[other.access.pipe]) +
                      " that " + (other.access.write ? "writes" : "reads") +
                      " them",
                  other.access.op, "the earlier command");
    }
    return success();
  }

  template <typename Op> FailureOr<FlagName> nameOf(Op op) {
    const auto id = evaluate(op.getId(), Use::kSlot);
    if (!id) {
      return fail(op, "flag id is not known; cannot prove the kernel's "
                      "synchronisation");
    }
    if (*id < 0 || *id >= isa::kNumFlagIds) {
      return fail(op, "flag id " + std::to_string(*id) + ", expected 0 to 7");
    }
    return FlagName{static_cast<unsigned>(op.getSrc()),
                    static_cast<unsigned>(op.getDst()), *id};
  }

  LogicalResult runSet(SetFlagOp op) {
    FailureOr<FlagName> name = nameOf(op);
    if (failed(name)) {
      return failure();
    }
    const unsigned src = std::get<0>(*name);
    state_.issue(src, events_.ownOfControlCore);
    if (state_.isSet(*name)) {
      return fail(op, "flag " + text(*name) + " is set already",
                  state_.flag(*name).setOp, "set here");
    }
    if (!state_.knows(src, Events::wait(*name))) {
      return fail(op, "flag " + text(*name) +
                          " may be set again before the wait that clears it");
    }
    state_.set(*name, op);
    return success();
  }

  LogicalResult runWait(WaitFlagOp op) {
    FailureOr<FlagName> name = nameOf(op);
    if (failed(name)) {
      return failure();
    }
    const unsigned dst = std::get<1>(*name);
    state_.issue(dst, events_.ownOfControlCore);
    if (!state_.isSet(*name)) {
      return fail(op, "waits for flag " + text(*name) +
                          " before it is set in program order");
    }
    state_.clear(*name);
    state_.happen(dst, Events::wait(*name));
    return success();
  }

  func::FuncOp kernel_;
  const PairSet &ignored_;
  LoopTurns turns_;
  int64_t iterations_; // of a loop, at most
  Events events_;
  SyncState state_;
  Problem problem_;
  DenseMap<Value, Known> known_;
};

class VerifySyncPass
    : public PassWrapper<VerifySyncPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VerifySyncPass)
  StringRef getArgument() const override { return "npu-verify-sync"; }
  StringRef getDescription() const override {
    return "proves that flags order all conflicting commands of a kernel";
  }
  void runOnOperation() override {
    if (getOperation()->hasAttr(kKernelAttr) &&
        failed(verifySync(getOperation()))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

} // namespace

LogicalResult verifySync(func::FuncOp kernel) {
  const PairSet none;
  Walk walk(kernel, none);
  if (succeeded(walk.run())) {
    return success();
  }
  const Problem &problem = walk.problem();
  InFlightDiagnostic diagnostic = problem.op->emitError(problem.text);
  if (problem.other) {
    diagnostic.attachNote(problem.other->getLoc()) << problem.note;
  }
  return diagnostic;
}

bool isOrdered(func::FuncOp kernel, const PairSet &ignored) {
  return succeeded(Walk(kernel, ignored).run());
}

std::unique_ptr<Pass> createVerifySyncPass() {
  return std::make_unique<VerifySyncPass>();
}

} // namespace kiln::npu
