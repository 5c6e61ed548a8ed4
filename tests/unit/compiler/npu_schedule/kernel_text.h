// SPDX-License-Identifier: Apache-2.0
//
// The text of a dispatch and of the plan that calls it, operation by operation:
// a test says shapes and arithmetic, the rest follows from them.
//
//   KernelText k;
//   k.argument("x", "37x77xf32").argument("y", "77xf32");
//   k.generic("r", {{"x", "ij"}, {"y", "j"}}, {"37x77xf32", "ij"},
//             "%t = arith.addf %a, %b : f32");
//   std::string module = k.module("r");
//
// Values are named without '%' and typed as in "tensor<...>". Inside a body
// %a, %b, ... are elements of the inputs, %o of the output; %t is the result.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kiln::test {

class KernelText {
public:
  using Names = std::vector<std::string>;
  using Extents = std::vector<int64_t>;

  /// An input of a generic operation, and what its letters index.
  struct Input {
    std::string name, map;
  };
  /// Its output; `init` names the start of a reduction, else it is empty.
  struct Output {
    std::string type, map;
    std::string init = "";
  };

  KernelText &argument(const std::string &name, const std::string &type);
  /// A scalar, e.g. constant("one", "1.0", "f32").
  KernelText &constant(const std::string &name, const std::string &value,
                       const std::string &type);
  /// A tensor of one value.
  KernelText &fill(const std::string &name, const std::string &type,
                   const std::string &value);
  KernelText &pad(const std::string &name, const std::string &source,
                  const Extents &low, const Extents &high,
                  const std::string &value);
  /// The loops are the letters of the first input, in its order; those that
  /// the output lacks are reductions.
  KernelText &generic(const std::string &name, const std::vector<Input> &inputs,
                      const Output &output, const std::string &body);
  /// linalg.`op` onto zeros.
  KernelText &sum(const std::string &name, const std::string &op,
                  const Names &inputs, const std::string &type);
  /// Convolutions and pools: linalg.`op` onto `init`.
  KernelText &window(const std::string &name, const std::string &op,
                     const Names &inputs, const std::string &init,
                     const Extents &strides, int64_t dilation = 1);
  KernelText &transpose(const std::string &name, const std::string &source,
                        const std::string &type, const Extents &permutation);
  /// Shape of a pool's window.
  KernelText &windowShape(const std::string &name, const std::string &type);
  /// Any other operation: `text` without result.
  KernelText &op(const std::string &name, const std::string &text,
                 const std::string &type);

  /// plan.func @main with arguments i0, i1, ... calls the kernel, which
  /// returns `result`.
  std::string module(const std::string &result) const;

private:
  std::string tensorOf(const std::string &name) const;
  std::string operands(const char *word, const Names &names) const;
  std::string empty(const std::string &name, const std::string &type);

  Names arguments_;
  std::map<std::string, std::string> types_;
  std::string body_;
};

} // namespace kiln::test
