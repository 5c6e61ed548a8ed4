// SPDX-License-Identifier: Apache-2.0
#include "hal/api/program.h"

#include "hal/api/driver.h"

namespace kiln::hal {

Program::Program(std::unique_ptr<DriverProgram> program)
    : program_(std::move(program)) {}

Program::~Program() = default;

const ProgramReflection &Program::reflection() const {
  return program_->reflection();
}

} // namespace kiln::hal
