// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/contraction.h"
#include "compiler/transforms/npu_schedule/passes.h"
#include "compiler/transforms/npu_schedule/vector.h"

using namespace mlir;

namespace kiln::npu {

namespace {

using schedule::Schedule;

class ApplySchedule
    : public PassWrapper<ApplySchedule, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApplySchedule)
  ApplySchedule(ScheduleOptions options)
      : options_(std::make_shared<ScheduleOptions>(std::move(options))) {}

  StringRef getArgument() const final { return "npu-apply-schedule"; }
  StringRef getDescription() const final {
    return "Tiles and places a dispatch as its schedule says.";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<NPUDialect, affine::AffineDialect, scf::SCFDialect,
                    tensor::TensorDialect, linalg::LinalgDialect,
                    arith::ArithDialect>();
  }
  LogicalResult initialize(MLIRContext *context) final {
    cleanup_ =
        std::make_shared<FrozenRewritePatternSet>(cleanupPatterns(context));
    return success();
  }

  void runOnOperation() final {
    func::FuncOp func = getOperation();
    if (!func->hasAttr(kKernelAttr)) {
      return;
    }
    ScheduleTools tools(func, *cleanup_);
    if (failed(run(func, tools))) {
      signalPassFailure();
    }
  }

private:
  int64_t cores() const {
    return options_->maxCores > 0 ? options_->maxCores
                                  : options_->arch.arch.cores;
  }

  /// The function's own schedule, or the chosen one.
  template <typename Choose>
  FailureOr<Schedule> scheduleOf(func::FuncOp func, Choose choose) {
    auto text = func->getAttrOfType<StringAttr>(kScheduleAttr);
    Result<Schedule> s =
        text ? schedule::parse(std::string_view(text.getValue())) : choose();
    if (!s) {
      return func.emitError(s.status().message());
    }
    func->setAttr(kScheduleAttr,
                  StringAttr::get(func.getContext(), schedule::print(*s)));
    return *s;
  }

  LogicalResult run(func::FuncOp func, ScheduleTools &tools) {
    if (failed(tools.cleanup())) {
      return failure();
    }
    if (std::optional<ContractionKernel> kernel = matchContraction(func)) {
      FailureOr<Schedule> s = scheduleOf(func, [&] {
        return schedule::chooseContraction(kernel->shape, options_->arch,
                                           cores());
      });
      return failed(s) ? failure() : applyContraction(*kernel, *s, tools);
    }
    int64_t roots = tools.rootCount();
    if (roots == 0) {
      return func.emitError("the dispatch has no root operation");
    }
    std::string texts;
    for (int64_t i = 0; i < roots; ++i) {
      tools.selectRoot(i);
      if (failed(runVector(func, tools, cores()))) {
        return failure();
      }
      auto text = func->getAttrOfType<StringAttr>(kScheduleAttr).getValue();
      texts += (i == 0 ? "" : " / ") + text.str();
      if (roots > 1) {
        func->removeAttr(kScheduleAttr);
      }
    }
    func->setAttr(kScheduleAttr, StringAttr::get(func.getContext(), texts));
    return success();
  }

  LogicalResult runVector(func::FuncOp func, ScheduleTools &tools,
                          int64_t maxCores) {
    Result<VectorKernel> kernel = matchVector(func, tools.root());
    if (!kernel) {
      return func.emitError(kernel.status().message());
    }
    FailureOr<Schedule> s = scheduleOf(func, [&] {
      return schedule::chooseVector(kernel->shape, options_->arch, maxCores);
    });
    return failed(s) ? failure() : applyVector(*kernel, *s, tools);
  }

  std::shared_ptr<ScheduleOptions> options_;
  std::shared_ptr<FrozenRewritePatternSet> cleanup_;
};

} // namespace

std::unique_ptr<Pass> createApplySchedulePass(ScheduleOptions options) {
  return std::make_unique<ApplySchedule>(std::move(options));
}

} // namespace kiln::npu
