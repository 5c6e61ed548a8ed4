// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/plan_arena.h"

#include "compiler/pipeline/register.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

namespace kiln::plan {
namespace {

using mlir::ModuleOp;

class PlanArena : public testing::Test {
protected:
  PlanArena() : context(makeRegistry()) {}

  static mlir::DialectRegistry makeRegistry() {
    mlir::DialectRegistry registry;
    registerKilnDialects(registry);
    return registry;
  }

  /// Plans `body` of @main(%x: 64 floats) -> `results`; dispatch functions
  /// @f (64 -> 64) and @g (64 -> 32) exist.
  FuncOp plan(const std::string &results, const std::string &body,
              const ArenaOptions &options = {}) {
    std::string text = R"(
func.func private @f(%a: tensor<64xf32>) -> tensor<64xf32> attributes {plan.dispatch} { return %a : tensor<64xf32> }
func.func private @g(%a: tensor<64xf32>) -> tensor<32xf32> attributes {plan.dispatch} { %e = tensor.empty() : tensor<32xf32> return %e : tensor<32xf32> }
plan.func @main(%x: tensor<64xf32> {plan.name = "x"}) -> )" +
                       results + " {\n" + body + "\n}";
    module = mlir::parseSourceString<ModuleOp>(text, &context);
    if (!module) {
      ADD_FAILURE() << "does not parse";
      return {};
    }
    auto func = *module->getOps<FuncOp>().begin();
    EXPECT_TRUE(mlir::succeeded(planArena(func, options)));
    return func;
  }

  static int64_t arenaBytes(FuncOp func) {
    return func->getAttrOfType<mlir::IntegerAttr>(PlanDialect::kArenaBytesAttr)
        .getInt();
  }

  /// The n-th dispatch of the function.
  static DispatchOp dispatch(FuncOp func, unsigned n) {
    auto ops = func.getBody().getOps<DispatchOp>();
    return *std::next(ops.begin(), n);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<ModuleOp> module;
};

constexpr char kCallF[] = " : (tensor<64xf32>) -> tensor<64xf32>\n";

TEST_F(PlanArena, AChainNeedsTwoBuffersAndWritesItsOutputInPlace) {
  FuncOp func =
      plan("(tensor<64xf32>)", std::string("%0 = plan.dispatch @f(%x)") +
                                   kCallF + "%1 = plan.dispatch @f(%0)" +
                                   kCallF + "%2 = plan.dispatch @f(%1)" +
                                   kCallF + "%3 = plan.dispatch @f(%2)" +
                                   kCallF + "plan.return %3 : tensor<64xf32>");
  EXPECT_EQ(arenaBytes(func), 2 * 256);
  PlaceAttr first = placeOf(dispatch(func, 0).getResult(0));
  PlaceAttr second = placeOf(dispatch(func, 1).getResult(0));
  PlaceAttr third = placeOf(dispatch(func, 2).getResult(0));
  PlaceAttr last = placeOf(dispatch(func, 3).getResult(0));
  EXPECT_NE(first.getOffset(), second.getOffset());
  EXPECT_EQ(first.getOffset(), third.getOffset());
  EXPECT_EQ(last.getKind(), PlaceKind::Output);
}

TEST_F(PlanArena, AnInputReturnedIsCopied) {
  FuncOp func = plan("(tensor<64xf32>)", "plan.return %x : tensor<64xf32>");
  auto copies = func.getBody().getOps<CopyOp>();
  ASSERT_EQ(std::distance(copies.begin(), copies.end()), 1);
  EXPECT_EQ(placeOf((*copies.begin()).getResult()).getKind(),
            PlaceKind::Output);
  EXPECT_EQ(arenaBytes(func), 0);
}

TEST_F(PlanArena, AValueReturnedTwiceFillsBothOutputs) {
  FuncOp func = plan("(tensor<64xf32>, tensor<64xf32>)",
                     std::string("%0 = plan.dispatch @f(%x)") + kCallF +
                         "plan.return %0, %0 : tensor<64xf32>, tensor<64xf32>");
  auto ret = mlir::cast<ReturnOp>(func.getBody().front().getTerminator());
  PlaceAttr a = placeOf(ret.getOperand(0)), b = placeOf(ret.getOperand(1));
  EXPECT_EQ(a.getKind(), PlaceKind::Output);
  EXPECT_EQ(b.getKind(), PlaceKind::Output);
  EXPECT_NE(a.getIndex(), b.getIndex());
}

TEST_F(PlanArena, ASliceIsAViewAtItsOffset) {
  FuncOp func =
      plan("(tensor<64xf32>)",
           std::string("%0 = plan.dispatch @f(%x)") + kCallF +
               "%v = plan.slice %0[16] : tensor<64xf32> to tensor<8x4xf32>\n"
               "%w = plan.slice %v[4] : tensor<8x4xf32> to tensor<4xf32>\n"
               "%1 = plan.dispatch @f(%0)" +
               kCallF + "plan.return %1 : tensor<64xf32>");
  int64_t base = placeOf(dispatch(func, 0).getResult(0)).getOffset();
  auto slices = func.getBody().getOps<SliceOp>();
  EXPECT_EQ(placeOf((*slices.begin()).getResult()).getOffset(), base + 64);
  EXPECT_EQ(placeOf((*std::next(slices.begin())).getResult()).getOffset(),
            base + 80);
}

TEST_F(PlanArena, ConcatOperandsLieInsideTheResult) {
  FuncOp func =
      plan("(tensor<64xf32>)",
           "%0 = plan.dispatch @g(%x) : (tensor<64xf32>) -> tensor<32xf32>\n"
           "%1 = plan.dispatch @g(%x) : (tensor<64xf32>) -> tensor<32xf32>\n"
           "%2 = plan.concat %0, %1 : (tensor<32xf32>, tensor<32xf32>) -> "
           "tensor<64xf32>\n"
           "plan.return %2 : tensor<64xf32>");
  PlaceAttr a = placeOf(dispatch(func, 0).getResult(0));
  PlaceAttr b = placeOf(dispatch(func, 1).getResult(0));
  EXPECT_EQ(a.getKind(), PlaceKind::Output);
  EXPECT_EQ(b.getKind(), PlaceKind::Output);
  EXPECT_EQ(a.getOffset(), 0);
  EXPECT_EQ(b.getOffset(), 128);
  EXPECT_EQ(arenaBytes(func), 0);
}

TEST_F(PlanArena, AWorkspaceOverlapsNothingItsDispatchTouches) {
  ArenaOptions options;
  options.workspaceBytes["f"] = 100;
  FuncOp func = plan("(tensor<64xf32>)",
                     std::string("%0 = plan.dispatch @f(%x)") + kCallF +
                         "%1 = plan.dispatch @f(%0)" + kCallF +
                         "%2 = plan.dispatch @f(%1)" + kCallF +
                         "plan.return %2 : tensor<64xf32>",
                     options);
  for (DispatchOp op : func.getBody().getOps<DispatchOp>()) {
    auto scratch = op->getAttrOfType<PlaceAttr>(kWorkspaceAttr);
    ASSERT_TRUE(scratch);
    EXPECT_EQ(scratch.getKind(), PlaceKind::Arena);
    EXPECT_EQ(scratch.getOffset() % 64, 0);
    for (mlir::Value v : {op.getOperand(0), op.getResult(0)}) {
      PlaceAttr p = placeOf(v);
      bool apart = p.getKind() != PlaceKind::Arena ||
                   p.getOffset() + 256 <= scratch.getOffset() ||
                   scratch.getOffset() + 100 <= p.getOffset();
      EXPECT_TRUE(apart);
    }
  }
}

} // namespace
} // namespace kiln::plan
