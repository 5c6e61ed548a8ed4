// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/verify_sync.h"

#include "compiler/dialect/npu/NpuOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

#include <array>
#include <map>
#include <tuple>

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Pipe;
constexpr unsigned kPipes = isa::kNumPipes;

/// For every pipe the number of its commands known to be done.
using Clock = std::array<int64_t, kPipes>;

void join(Clock &clock, const Clock &other) {
  for (unsigned pipe = 0; pipe < kPipes; ++pipe) {
    clock[pipe] = std::max(clock[pipe], other[pipe]);
  }
}

/// One way through the kernel.
struct Path {
  int64_t iterations = 1;       // of every loop, at most
  Operation *skipped = nullptr; // a loop that runs zero times
  enum { kThen, kElse, kAlternate } branch = kThen;
};

/// A finished access that later commands may conflict with.
struct Access {
  unsigned pipe;
  int64_t sequence;
  Value base; // of GM accesses
  int64_t lo, hi;
  bool write;
  Operation *op;
};

struct Flag {
  bool set = false;
  Clock clock{};
  int64_t lastWait = 0; // in dst's sequence
  Operation *setOp = nullptr;
};

/// What is wrong, and with which op.
struct Problem {
  Operation *op = nullptr;
  std::string text;
  Operation *other = nullptr; // of the note
  const char *note = nullptr;
};

/// Walks one path; fails at the first problem.
class PathWalk {
public:
  PathWalk(func::FuncOp kernel, const Path &path, const PairSet &ignored)
      : kernel_(kernel), path_(path), ignored_(ignored) {}

  const Problem &problem() const { return problem_; }

  LogicalResult run() {
    if (failed(runBlock(kernel_.getBody().front()))) {
      return failure();
    }
    for (auto &[name, flag] : flags_) {
      if (flag.set) {
        return fail(flag.setOp, "flag " + text(name) +
                                    " is left set at the end of the kernel");
      }
    }
    return success();
  }

private:
  using FlagName = std::tuple<unsigned, unsigned, int64_t>;

  static std::string text(const FlagName &name) {
    return std::string(isa::kPipeNames[std::get<0>(name)]) + ">" +
           std::string(isa::kPipeNames[std::get<1>(name)]) + "." +
           std::to_string(std::get<2>(name));
  }
  LogicalResult fail(Operation *op, std::string text,
                     Operation *other = nullptr, const char *note = nullptr) {
    if (path_.skipped) {
      text += " when a loop runs zero times";
    }
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
        runBarrier();
      }
      if (failed(result)) {
        return failure();
      }
    }
    return success();
  }

  LogicalResult runLoop(scf::ForOp loop) {
    int64_t trips = path_.skipped == loop ? 0 : path_.iterations;
    const auto lower = evaluate(loop.getLowerBound()),
               upper = evaluate(loop.getUpperBound()),
               step = evaluate(loop.getStep());
    if (lower && upper && step && *step > 0) {
      trips = std::min(
          trips, std::max<int64_t>(0, (*upper - *lower + *step - 1) / *step));
    }
    SmallVector<std::optional<int64_t>> carried;
    for (Value init : loop.getInitArgs()) {
      carried.push_back(evaluate(init));
    }
    for (int64_t trip = 0; trip < trips; ++trip) {
      known_[loop.getInductionVar()] =
          lower && step ? std::optional(*lower + trip * *step) : std::nullopt;
      for (auto [arg, value] : llvm::zip(loop.getRegionIterArgs(), carried)) {
        known_[arg] = value;
      }
      if (failed(runBlock(*loop.getBody()))) {
        return failure();
      }
      for (auto [value, yielded] :
           llvm::zip(carried, loop.getYieldedValues())) {
        value = evaluate(yielded);
      }
    }
    for (auto [result, value] : llvm::zip(loop.getResults(), carried)) {
      known_[result] = value;
    }
    return success();
  }

  LogicalResult runIf(scf::IfOp branch) {
    const int64_t visit = visits_[branch]++;
    const auto condition = evaluate(branch.getCondition());
    const bool taken =
        condition ? *condition != 0
                  : path_.branch == Path::kThen ||
                        (path_.branch == Path::kAlternate && visit % 2 == 0);
    Block *block = taken ? branch.thenBlock() : branch.elseBlock();
    if (!block) {
      return success();
    }
    if (failed(runBlock(*block))) {
      return failure();
    }
    if (branch.getNumResults() != 0) {
      for (auto [result, value] : llvm::zip(
               branch.getResults(), block->getTerminator()->getOperands())) {
        known_[result] = evaluate(value);
      }
    }
    return success();
  }

  /// Integer arithmetic over known values, as slots and flag ids need it.
  std::optional<int64_t> evaluate(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return constant.getSExtValue();
    }
    if (auto it = known_.find(value); it != known_.end()) {
      return it->second;
    }
    Operation *op = value.getDefiningOp();
    if (auto select = dyn_cast_or_null<arith::SelectOp>(op)) {
      const auto condition = evaluate(select.getCondition());
      return condition ? evaluate(*condition ? select.getTrueValue()
                                             : select.getFalseValue())
                       : std::nullopt;
    }
    if (!op || op->getNumOperands() != 2 ||
        !llvm::isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::XOrIOp,
                   arith::CmpIOp>(op)) {
      return std::nullopt;
    }
    const auto a = evaluate(op->getOperand(0)), b = evaluate(op->getOperand(1));
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
    auto compare = cast<arith::CmpIOp>(op);
    return compare.getPredicate() == arith::CmpIPredicate::eq
               ? std::optional<int64_t>(*a == *b)
               : std::nullopt;
  }

  /// What S knows of the other pipes, every command issued from now on knows.
  void issue(unsigned pipe) {
    const auto s = static_cast<unsigned>(Pipe::S);
    Clock fromS = clocks_[s];
    fromS[s] = 0;
    join(clocks_[pipe], fromS);
  }

  LogicalResult runCommand(PipeOpInterface op) {
    const auto pipe = static_cast<unsigned>(op.getPipe());
    issue(pipe);
    SmallVector<OperandAccess> operands;
    op.getAccesses(operands);
    const int64_t sequence = ++sequence_[pipe];
    SmallVector<std::pair<isa::Space, Access>> done;
    for (const OperandAccess &operand : operands) {
      const Value base = operand.base->get();
      const isa::Space space = *spaceOf(base.getType());
      Access access = describe(op, base);
      access.pipe = pipe;
      access.sequence = sequence;
      access.write = operand.write;
      if (failed(check(space, access))) {
        return failure();
      }
      done.push_back({space, access});
    }
    for (auto &[space, access] : done) {
      record(space, access);
    }
    clocks_[pipe][pipe] = sequence;
    return success();
  }

  Access describe(Operation *op, Value base) {
    Access access{0, 0, Value(), 0, 0, false, op};
    auto alloc = base.getDefiningOp<AllocOp>();
    if (!alloc) {
      access.base = base;
      access.hi = 1;
      return access;
    }
    const int64_t bytes = localBytes(alloc.getType());
    access.lo = alloc.getAddress().value_or(0);
    access.hi = access.lo + bytes * static_cast<int64_t>(alloc.getDepth());
    if (Value slot = alloc.getSlot()) {
      if (auto index = evaluate(slot)) {
        access.lo += *index * bytes;
        access.hi = access.lo + bytes;
      }
    }
    return access;
  }

  LogicalResult check(isa::Space space, const Access &access) {
    for (const Access &other : accesses_[static_cast<unsigned>(space)]) {
      if (other.pipe == access.pipe || !(other.write || access.write) ||
          other.base != access.base || other.lo >= access.hi ||
          access.lo >= other.hi ||
          clocks_[access.pipe][other.pipe] >= other.sequence) {
        continue;
      }
      std::string text = "race in " + std::string(isa::name(space)) +
                         ": pipe " + std::string(isa::kPipeNames[access.pipe]) +
                         (access.write ? " writes" : " reads") +
                         " bytes that no flag orders after a command of pipe " +
                         std::string(isa::kPipeNames[other.pipe]) + " that " +
                         (other.write ? "writes" : "reads") + " them";
      return fail(access.op, text, other.op, "the earlier command");
    }
    return success();
  }

  /// A later access of the same pipe and bytes stands for the earlier ones.
  void record(isa::Space space, const Access &access) {
    auto &list = accesses_[static_cast<unsigned>(space)];
    llvm::erase_if(list, [&](const Access &old) {
      return old.pipe == access.pipe && old.base == access.base &&
             old.lo == access.lo && old.hi == access.hi &&
             (access.write || !old.write);
    });
    list.push_back(access);
  }

  template <typename Op> FailureOr<FlagName> nameOf(Op op) {
    const auto id = evaluate(op.getId());
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
    const auto [src, dst, id] = *name;
    Flag &flag = flags_[*name];
    issue(src);
    if (flag.set) {
      return fail(op, "flag " + text(*name) + " is set already", flag.setOp,
                  "set here");
    }
    if (clocks_[src][dst] < flag.lastWait) {
      return fail(op, "flag " + text(*name) +
                          " may be set again before the wait that clears it");
    }
    flag.set = true;
    flag.setOp = op;
    flag.clock = clocks_[src];
    return success();
  }

  LogicalResult runWait(WaitFlagOp op) {
    FailureOr<FlagName> name = nameOf(op);
    if (failed(name)) {
      return failure();
    }
    const auto [src, dst, id] = *name;
    Flag &flag = flags_[*name];
    issue(dst);
    if (!flag.set) {
      return fail(op, "waits for flag " + text(*name) +
                          " before it is set in program order");
    }
    join(clocks_[dst], flag.clock);
    flag.set = false;
    flag.lastWait = clocks_[dst][dst] = ++sequence_[dst];
    return success();
  }

  void runBarrier() {
    Clock all{};
    for (unsigned pipe = 0; pipe < kPipes; ++pipe) {
      all[pipe] = sequence_[pipe];
    }
    clocks_.fill(all);
  }

  func::FuncOp kernel_;
  const Path &path_;
  const PairSet &ignored_;
  Problem problem_;
  DenseMap<Value, std::optional<int64_t>> known_;
  DenseMap<Operation *, int64_t> visits_;
  std::array<Clock, kPipes> clocks_{};
  Clock sequence_{};
  std::array<std::vector<Access>, isa::kNumSpaces> accesses_;
  std::map<FlagName, Flag> flags_;
};

bool runsAtLeastOnce(scf::ForOp loop) {
  APInt lower, upper;
  return matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) &&
         matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)) &&
         lower.slt(upper);
}

/// The paths that the proof walks.
SmallVector<Path> pathsOf(func::FuncOp kernel) {
  int64_t depth = 1;
  bool branches = false;
  SmallVector<Operation *> loops;
  kernel.walk([&](Operation *op) {
    if (auto alloc = dyn_cast<AllocOp>(op)) {
      depth = std::max<int64_t>(depth, alloc.getDepth());
    }
    branches |= llvm::isa<scf::IfOp>(op);
    if (llvm::isa<scf::ForOp>(op)) {
      loops.push_back(op);
    }
  });
  SmallVector<Path> paths;
  paths.push_back({depth + 1});
  if (branches) {
    paths.push_back({depth + 1, nullptr, Path::kElse});
    paths.push_back({depth + 1, nullptr, Path::kAlternate});
  }
  if (!loops.empty()) {
    paths.push_back({1});
  }
  for (Operation *loop : loops) {
    if (!runsAtLeastOnce(cast<scf::ForOp>(loop))) {
      paths.push_back({depth + 1, loop});
    }
  }
  return paths;
}

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
  for (const Path &path : pathsOf(kernel)) {
    PathWalk walk(kernel, path, none);
    if (succeeded(walk.run())) {
      continue;
    }
    const Problem &problem = walk.problem();
    InFlightDiagnostic diagnostic = problem.op->emitError(problem.text);
    if (problem.other) {
      diagnostic.attachNote(problem.other->getLoc()) << problem.note;
    }
    return diagnostic;
  }
  return success();
}

bool isOrdered(func::FuncOp kernel, const PairSet &ignored) {
  return llvm::all_of(pathsOf(kernel), [&](const Path &path) {
    return succeeded(PathWalk(kernel, path, ignored).run());
  });
}

std::unique_ptr<Pass> createVerifySyncPass() {
  return std::make_unique<VerifySyncPass>();
}

} // namespace kiln::npu
