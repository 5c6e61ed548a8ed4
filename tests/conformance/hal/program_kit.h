// SPDX-License-Identifier: Apache-2.0
//
// The programs of the conformance suite, for each kind of device. All kits
// have the same kernels with the same meaning:
//
//   copy      block b copies constant[0] bytes at b * constant[0] from
//             binding 0 to binding 1; constant[0] is a multiple of 32, at most
//             4096
//   probe     block b writes eight words at 64 * b of binding 0: b, argument
//             block version, bindings, constants, constant[0], constant[1],
//             workspace, reserved
//   increment adds constant[0] to the first 64-bit word of binding 0, whose
//             range has 64 bytes
//   spin      does not end within a budget
//   trap      raises a fault
//   lose      loses the device
//
// trap and lose are missing where a device cannot do such a thing.
#pragma once

#include "hal/api/program.h"

#include <functional>
#include <string>
#include <string_view>

namespace kiln::hal::conformance {

struct KernelImage {
  ProgramImage image;
  uint32_t entry = 0;
};

struct ProgramKit {
  /// The program and entry of a kernel.
  std::function<KernelImage(std::string_view kernel)> kernel;
  /// An image that is no program: kCorrupt.
  ProgramImage corrupt;
  /// A good program this device cannot run, and the code of the refusal.
  ProgramImage unfit;
  StatusCode unfitCode = StatusCode::kUnsupported;
};

ProgramKit nullKit(); // also of the reference driver
ProgramKit cpuKit();
ProgramKit npuKit();

} // namespace kiln::hal::conformance
