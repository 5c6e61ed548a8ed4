// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/npu_schedule/kernel_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kiln::test {
namespace {

std::string elementOf(const std::string &type) {
  return type.substr(type.rfind('x') + 1);
}

/// "nc" as "n, c".
std::string letters(const std::string &map) {
  return fmt::format("{}", fmt::join(map, ", "));
}

std::string affineMap(const std::string &loops, const std::string &map) {
  return fmt::format("affine_map<({}) -> ({})>", letters(loops), letters(map));
}

/// The shape that the extents around `source` make.
std::string padded(const std::string &source, const KernelText::Extents &low,
                   const KernelText::Extents &high) {
  std::string type, rest = source;
  for (size_t d = 0; d < low.size(); ++d) {
    size_t at = rest.find('x');
    int64_t extent = std::stoll(rest.substr(0, at)) + low[d] + high[d];
    type += std::to_string(extent) + "x";
    rest = rest.substr(at + 1);
  }
  return type + rest;
}

std::string dense(const KernelText::Extents &values) {
  return fmt::format("dense<[{}]> : vector<{}xi64>", fmt::join(values, ", "),
                     values.size());
}

} // namespace

std::string KernelText::tensorOf(const std::string &name) const {
  return "tensor<" + types_.at(name) + ">";
}

/// "ins(%x, %y : tensor<...>, tensor<...>)".
std::string KernelText::operands(const char *word, const Names &names) const {
  Names values, types;
  for (const std::string &name : names) {
    values.push_back("%" + name);
    types.push_back(tensorOf(name));
  }
  return fmt::format("{}({} : {})", word, fmt::join(values, ", "),
                     fmt::join(types, ", "));
}

KernelText &KernelText::argument(const std::string &name,
                                 const std::string &type) {
  arguments_.push_back(name);
  types_[name] = type;
  return *this;
}

KernelText &KernelText::constant(const std::string &name,
                                 const std::string &value,
                                 const std::string &type) {
  body_ += fmt::format(" %{} = arith.constant {} : {}\n", name, value, type);
  return *this;
}

KernelText &KernelText::op(const std::string &name, const std::string &text,
                           const std::string &type) {
  types_[name] = type;
  body_ += fmt::format(" %{} = {}\n", name, text);
  return *this;
}

std::string KernelText::empty(const std::string &name,
                              const std::string &type) {
  op(name, fmt::format("tensor.empty() : tensor<{}>", type), type);
  return name;
}

KernelText &KernelText::windowShape(const std::string &name,
                                    const std::string &type) {
  empty(name, type);
  return *this;
}

KernelText &KernelText::fill(const std::string &name, const std::string &type,
                             const std::string &value) {
  const std::string scalar = name + "_value";
  constant(scalar, value, elementOf(type));
  const Names to = {empty(name + "_empty", type)};
  return op(name,
            fmt::format("linalg.fill ins(%{} : {}) {} -> tensor<{}>", scalar,
                        elementOf(type), operands("outs", to), type),
            type);
}

KernelText &KernelText::pad(const std::string &name, const std::string &source,
                            const Extents &low, const Extents &high,
                            const std::string &value) {
  const std::string type = padded(types_.at(source), low, high);
  const std::string scalar = name + "_value";
  constant(scalar, value, elementOf(type));
  Names indices;
  for (size_t d = 0; d < low.size(); ++d) {
    indices.push_back(fmt::format("%i{}: index", d));
  }
  return op(name,
            fmt::format("tensor.pad %{} low[{}] high[{}] {{\n ^bb0({}):\n"
                        "  tensor.yield %{} : {} }} : {} to tensor<{}>",
                        source, fmt::join(low, ", "), fmt::join(high, ", "),
                        fmt::join(indices, ", "), scalar, elementOf(type),
                        tensorOf(source), type),
            type);
}

KernelText &KernelText::generic(const std::string &name,
                                const std::vector<Input> &inputs,
                                const Output &output, const std::string &body) {
  const std::string loops = inputs[0].map, element = elementOf(output.type);
  Names maps, names, iterators, elements;
  for (const Input &input : inputs) {
    elements.push_back(fmt::format("%{}: {}",
                                   static_cast<char>('a' + names.size()),
                                   elementOf(types_.at(input.name))));
    names.push_back(input.name);
    maps.push_back(affineMap(loops, input.map));
  }
  maps.push_back(affineMap(loops, output.map));
  elements.push_back("%o: " + element);
  for (char loop : loops) {
    bool parallel = output.map.find(loop) != std::string::npos;
    iterators.push_back(parallel ? "\"parallel\"" : "\"reduction\"");
  }
  const Names to = {output.init.empty() ? empty(name + "_empty", output.type)
                                        : output.init};
  return op(name,
            fmt::format("linalg.generic {{indexing_maps = [{}], "
                        "iterator_types = [{}]}} {} {} {{\n ^bb0({}):\n  {}\n"
                        "  linalg.yield %t : {} }} -> tensor<{}>",
                        fmt::join(maps, ", "), fmt::join(iterators, ", "),
                        operands("ins", names), operands("outs", to),
                        fmt::join(elements, ", "), body, element, output.type),
            output.type);
}

KernelText &KernelText::transpose(const std::string &name,
                                  const std::string &source,
                                  const std::string &type,
                                  const Extents &permutation) {
  const Names to = {empty(name + "_empty", type)};
  return op(name,
            fmt::format("linalg.transpose {} {} permutation = [{}]",
                        operands("ins", {source}), operands("outs", to),
                        fmt::join(permutation, ", ")),
            type);
}

KernelText &KernelText::sum(const std::string &name, const std::string &op,
                            const Names &inputs, const std::string &type) {
  fill(name + "_zeros", type, "0.0");
  return this->op(name,
                  fmt::format("linalg.{} {} {} -> tensor<{}>", op,
                              operands("ins", inputs),
                              operands("outs", {name + "_zeros"}), type),
                  type);
}

KernelText &KernelText::window(const std::string &name, const std::string &op,
                               const Names &inputs, const std::string &init,
                               const Extents &strides, int64_t dilation) {
  const Extents dilations(strides.size(), dilation);
  return this->op(name,
                  fmt::format("linalg.{} {{strides = {}, dilations = {}}} {} "
                              "{} -> {}",
                              op, dense(strides), dense(dilations),
                              operands("ins", inputs), operands("outs", {init}),
                              tensorOf(init)),
                  types_.at(init));
}

std::string KernelText::module(const std::string &result) const {
  Names names, types, kernel, main;
  for (size_t i = 0; i < arguments_.size(); ++i) {
    const std::string type = tensorOf(arguments_[i]);
    names.push_back(fmt::format("%a{}", i));
    types.push_back(type);
    kernel.push_back("%" + arguments_[i] + ": " + type);
    main.push_back(fmt::format("%a{0}: {1} {{plan.name = \"i{0}\"}}", i, type));
  }
  return fmt::format(
      "plan.func @main({main}) -> ({type} {{plan.name = \"o\"}}) {{\n"
      " %0 = plan.dispatch @k({names}) : ({types}) -> {type}\n"
      " plan.return %0 : {type}\n}}\n"
      "func.func private @k({kernel}) -> {type} attributes {{plan.dispatch}} "
      "{{\n{body} return %{result} : {type}\n}}\n",
      fmt::arg("main", fmt::join(main, ", ")),
      fmt::arg("names", fmt::join(names, ", ")),
      fmt::arg("types", fmt::join(types, ", ")),
      fmt::arg("kernel", fmt::join(kernel, ", ")),
      fmt::arg("type", tensorOf(result)), fmt::arg("body", body_),
      fmt::arg("result", result));
}

} // namespace kiln::test
