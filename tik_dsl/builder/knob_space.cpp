// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/knob_space.h"

#include "tik_dsl/builder/knobs.h"

#include <memory>
#include <mutex>
#include <vector>

namespace kiln::tik {

namespace {

KnobValues valuesOf(const std::vector<tuning::Knob> &knobs,
                    const tuning::Setting &setting) {
  KnobValues values;
  for (size_t i = 0; i < knobs.size(); ++i) {
    values.emplace_back(knobs[i].name, setting[i]);
  }
  return values;
}

/// Builds the kernel with a setting. A compiler serves one thread at a time, so
/// each call borrows one.
class LegalityCheck {
public:
  LegalityCheck(const Operator &op, BoundShape shape, const isa::ArchSpec &arch,
                uint32_t cores, std::vector<KnobDecl> declared,
                std::vector<tuning::Knob> knobs)
      : op_(op), shape_(std::move(shape)), arch_(arch), cores_(cores),
        declared_(std::move(declared)), knobs_(std::move(knobs)) {}

  bool operator()(const tuning::Setting &setting) {
    if (setting.size() != knobs_.size()) {
      return false;
    }
    BoundShape shape = shape_;
    shape.knobs = valuesOf(knobs_, setting);
    std::unique_ptr<OperatorCompiler> compiler = borrow();
    const bool legal = compiler->accepts(
        op_, shape, {.arch = &arch_, .cores = cores_, .knobs = &declared_});
    giveBack(std::move(compiler));
    return legal;
  }

private:
  std::unique_ptr<OperatorCompiler> borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<OperatorCompiler> compiler = std::move(idle_.back());
        idle_.pop_back();
        return compiler;
      }
    }
    return std::make_unique<OperatorCompiler>();
  }
  void giveBack(std::unique_ptr<OperatorCompiler> compiler) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(compiler));
  }

  const Operator op_;
  const BoundShape shape_;
  const isa::ArchSpec arch_;
  const uint32_t cores_;
  const std::vector<KnobDecl> declared_;
  const std::vector<tuning::Knob> knobs_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<OperatorCompiler>> idle_;
};

} // namespace

Result<tuning::SearchSpace> searchSpace(const Operator &op,
                                        const ShapeCase &shape,
                                        const isa::ArchSpec &arch,
                                        uint32_t cores) {
  KILN_ASSIGN_OR_RETURN(BoundShape bound, op.bind(shape));
  MessageList messages;
  KILN_ASSIGN_OR_RETURN(std::vector<KnobDecl> knobs,
                        knobsOf(op, bound, arch, cores, messages));
  tuning::SearchSpace space;
  for (const KnobDecl &knob : knobs) {
    space.knobs.push_back({knob.name, knob.values});
  }
  auto check = std::make_shared<LegalityCheck>(
      op, std::move(bound), arch, cores, std::move(knobs), space.knobs);
  space.isLegal = [check](const tuning::Setting &setting) {
    return (*check)(setting);
  };
  return space;
}

ShapeCase withSetting(ShapeCase shape, const tuning::SearchSpace &space,
                      const tuning::Setting &setting) {
  shape.knobs = valuesOf(space.knobs, setting);
  return shape;
}

} // namespace kiln::tik
