// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/custom_operator_files.h"

#include "tik_dsl/library/operator_library.h"
#include "tools/engine/operator_guard.h"
#include "tools/kiln/operator_options.h"
#include "tools/kiln/tuning_records.h"

#include <fmt/format.h>

namespace kiln::tools {

Status CustomOperatorFiles::load() {
  if (!library_) {
    tik::LoadOptions options{.watch = &operatorGuard()};
    KILN_ASSIGN_OR_RETURN(options.includeDir, includeFolder());
    auto library = std::make_shared<tik::OperatorLibrary>(options);
    library->files = files;
    if (!records.empty()) {
      library->knobs = [this](const tik::Operator &op,
                              const tik::ShapeCase &shape,
                              const isa::ArchSpec &arch, uint32_t cores) {
        return knobsOf(op, shape, arch, cores);
      };
    }
    library_ = library;
  }
  return library_->load();
}

Result<tik::KnobValues>
CustomOperatorFiles::knobsOf(const tik::Operator &op,
                             const tik::ShapeCase &shape,
                             const isa::ArchSpec &arch, uint32_t cores) const {
  KILN_ASSIGN_OR_RETURN(std::optional<Tuned> tuned,
                        findTuned(records, op, shape, arch, cores));
  KILN_ASSIGN_OR_RETURN(tik::BoundShape bound, op.bind(shape));
  fmt::print(stderr, "{} {}: {}\n", op.decl().name, bound.text,
             tuned ? "knobs of a record: " + tuned->line
                   : "no record, default knobs");
  return tuned ? std::move(tuned->knobs) : tik::KnobValues();
}

bool CustomOperatorFiles::has(const std::string &domain,
                              const std::string &op) const {
  return library_ && library_->has(domain, op);
}

std::vector<std::string> CustomOperatorFiles::names() const {
  return library_ ? library_->names() : std::vector<std::string>();
}

Result<LibraryKernel> CustomOperatorFiles::build(const KernelCall &call) {
  return library_->build(call);
}

} // namespace kiln::tools
