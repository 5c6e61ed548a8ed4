// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/minimize_config.h"

#include "compiler/dialect/npu_isa/NpuIsaOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"

#include <map>

using namespace mlir;

namespace kiln::npu {

namespace {

using npu_isa::KcfgOp;

/// A configuration word: pipe and index.
using Word = std::pair<uint32_t, uint32_t>;

Word wordOf(KcfgOp op) { return {op.getPipe(), op.getIndex()}; }

/// What a word holds: a constant, the value of an SSA value, or unknown.
struct Content {
  bool known = false;
  std::optional<uint64_t> constant;
  Value value;

  static Content of(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return {true, constant.getZExtValue(), {}};
    }
    return {true, std::nullopt, value};
  }
  bool operator==(const Content &other) const {
    return known == other.known && constant == other.constant &&
           value == other.value;
  }
};

/// A word that is not in the map holds 0, as at launch.
using State = std::map<Word, Content>;

Content lookup(const State &state, Word word) {
  auto it = state.find(word);
  return it == state.end() ? Content{true, 0, {}} : it->second;
}

State meet(const State &a, const State &b) {
  State result;
  for (const State *state : {&a, &b}) {
    for (const auto &[word, content] : *state) {
      const Content left = lookup(a, word), right = lookup(b, word);
      result[word] = left == right ? left : Content{};
    }
  }
  return result;
}

/// Forgets values that another iteration, or the code after `region`, would
/// see with another meaning.
State outOf(Region &region, State state) {
  for (auto &[word, content] : state) {
    if (content.value && region.isAncestor(content.value.getParentRegion())) {
      content = Content{};
    }
  }
  return state;
}

/// Interprets blocks; with `redundant` set it also collects the writes that
/// change nothing.
class Dataflow {
public:
  explicit Dataflow(SmallVectorImpl<KcfgOp> *redundant)
      : redundant_(redundant) {}

  State run(Block &block, State state) {
    for (Operation &op : block) {
      if (auto write = dyn_cast<KcfgOp>(op)) {
        const Content content = Content::of(write.getValue());
        if (redundant_ && lookup(state, wordOf(write)) == content) {
          redundant_->push_back(write);
        }
        state[wordOf(write)] = content;
      } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
        state = runLoop(loop, state);
      } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
        state = runIf(branch, state);
      }
    }
    return state;
  }

private:
  State runLoop(scf::ForOp loop, const State &before) {
    Region &region = loop.getRegion();
    State entry = before;
    while (true) {
      State exit = Dataflow(nullptr).run(*loop.getBody(), entry);
      State joined = meet(before, outOf(region, exit));
      if (joined == entry) {
        break;
      }
      entry = joined;
    }
    State exit = run(*loop.getBody(), entry);
    return meet(before, outOf(region, exit));
  }

  State runIf(scf::IfOp branch, const State &before) {
    State taken =
        outOf(branch.getThenRegion(), run(*branch.thenBlock(), before));
    State other = before;
    if (Block *block = branch.elseBlock()) {
      other = outOf(branch.getElseRegion(), run(*block, before));
    }
    return meet(taken, other);
  }

  SmallVectorImpl<KcfgOp> *redundant_;
};

/// Writes a word before the loop when every write of it inside has the same
/// value, defined outside. Commands see the same words: each of them is
/// preceded by its own write.
void hoist(scf::ForOp loop) {
  std::map<Word, SmallVector<KcfgOp>> writes;
  loop->walk([&](KcfgOp op) { writes[wordOf(op)].push_back(op); });
  for (auto &[word, ops] : writes) {
    const Content first = Content::of(ops.front().getValue());
    const bool same = llvm::all_of(
        ops, [&](KcfgOp op) { return Content::of(op.getValue()) == first; });
    if (!same || (first.value && !loop.isDefinedOutsideOfLoop(first.value))) {
      continue;
    }
    OpBuilder builder(loop);
    Value value = first.value;
    if (!value) {
      value = arith::ConstantIntOp::create(
          builder, ops.front().getLoc(), static_cast<int64_t>(*first.constant),
          64);
    }
    KcfgOp::create(builder, ops.front().getLoc(), value, word.first,
                   word.second);
  }
}

class MinimizeConfigPass
    : public PassWrapper<MinimizeConfigPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MinimizeConfigPass)
  StringRef getArgument() const override { return "npu-minimize-config"; }
  StringRef getDescription() const override {
    return "removes configuration writes that change nothing";
  }
  void runOnOperation() override { minimizeConfig(getOperation()); }
};

} // namespace

void minimizeConfig(func::FuncOp kernel) {
  if (kernel.isExternal()) {
    return;
  }
  kernel.walk([](scf::ForOp loop) { hoist(loop); }); // innermost first
  SmallVector<KcfgOp> redundant;
  Dataflow(&redundant).run(kernel.getBody().front(), {});
  for (KcfgOp op : redundant) {
    op.erase();
  }
}

std::unique_ptr<Pass> createMinimizeConfigPass() {
  return std::make_unique<MinimizeConfigPass>();
}

} // namespace kiln::npu
