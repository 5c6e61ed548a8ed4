// SPDX-License-Identifier: Apache-2.0
//
// Bindings, constants and job files of `kiln sim`.
//
//   --bind 0=a.npy  --bind 1=random:f16:7:4096  --bind 2=zeros:f16:64x64
//   --const 0=4096
//
// Generated data depends on kind, type, seed and count only:
//   zeros   zeros:BYTES is u8; zeros:TYPE:SHAPE
//   random  floats uniform in [-1, 1), integers over their whole range
//   relu    like activations: half zeros, the rest uniform in [0, 1)
//   wide    floats with random sign, exponent and significand (all finite)
//
// A job file is YAML: {program, machine, blocks, bind: {0: ...}, const: {0:
// ...}, out: {0: ...}}; paths in it are relative to its folder. It is used
// when PROGRAM ends in .yaml, or when PROGRAM.yaml exists and the command line
// binds nothing.
#pragma once

#include "tools/io/host_tensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln::tools {

struct IndexedValue {
  size_t index = 0;
  std::string value;
};

/// "3=text".
Result<IndexedValue> parseIndexed(const std::string &text, const char *option);
/// A decimal or 0x number.
Result<uint64_t> parseNumber(const std::string &text, const char *option);
/// "64x32".
Result<ops::Shape> parseShapeText(const std::string &text);

/// Bindings 0..n-1; kInvalidArgument names a hole or a double index.
Result<std::vector<HostTensor>>
loadBindings(const std::vector<std::string> &texts);
Result<std::vector<int64_t>>
parseConstants(const std::vector<std::string> &texts);

/// Generated data: "random:f16:7:4096" and the other kinds.
Result<HostTensor> generateTensor(const std::string &text);

/// The lists that a job file extends.
struct JobLists {
  std::vector<std::string> &binds;
  std::vector<std::string> &constants;
  std::vector<std::string> &outs;
};
Status applyJobFile(std::string &program, std::string &machine,
                    uint32_t &blocks, JobLists lists);

} // namespace kiln::tools
