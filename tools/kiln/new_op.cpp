// SPDX-License-Identifier: Apache-2.0
//
// `kiln new-op`: a working one-file operator to start from.
#include "tools/io/file.h"
#include "tools/kiln/verbs.h"

#include <filesystem>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string name;
  std::string output;
};

constexpr std::string_view kTemplate =
    R"(// @NAME@: y = a * x + b, element by element.
//
//   kiln test-op @FILE@                 check it, on every engine
//   kiln compile model.onnx --ops @FILE@   use it: domain "kiln.custom"
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

/// What it is: tensors, attributes, the shapes to test, how exact it is.
void declare(Declaration &d) {
  d.name("@NAME@", "y = a * x + b");
  d.input("x", f16, {"N"}, {-4, 4}).input("a", f16, {1}).input("b", f16, {1});
  d.output("y", f16, {"N"});
  d.shape({{"N", 100000}});
  d.edge({{"N", 1}}).edge({{"N", 8192}}).edge({{"N", 8193}});
  d.tolerance(f16, 1e-3, 1e-3,
              "a * x, below 4, in 11 bits: 2^-10; y in 11 bits: 2^-11 of y");
}

/// What may be chosen without a change of the result; the first value is the
/// default. Settings that do not fit the machine are not tried.
void knobs(const Knobs &k) {
  k.knob("tile", 8192, doubling(1024).upTo(k.capacity(Space::ub) / 2));
  k.knob("slots", {4, 2, 3});
}

/// How it is done, on the machine.
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t n = x.size(), tile = k.knob("tile");
  const int64_t share = alignUp(ceilDiv(n, k.cores()), tile);
  for (Index block : k.blocks(ceilDiv(n, share))) {
    // a and b: one element each, spread over a block of 32 bytes.
    const Buffer a = k.ub(f16, {16}, "a"), b = k.ub(f16, {16}, "b");
    const Buffer one = k.ub(f16, {16}, "one"), two = k.ub(f16, {16}, "two");
    k.load(one, k.tensor("a"), 1);
    k.load(two, k.tensor("b"), 1);
    k.broadcast(a, one, 16);
    k.broadcast(b, two, 16);
    const Index from = block * share, to = min(n, from + share);
    for (Index i : k.range(from, to, tile).buffers(k.knob("slots"))) {
      const Index count = min(tile, to - i);
      const Buffer t = k.ub(f16, {tile}, "t");
      k.load(t, x.at(i), count);
      k.mul(t, t, a.at(0).blockStride(0), count);
      k.add(t, t, b.at(0).blockStride(0), count);
      k.store(y.at(i), t, count);
    }
  }
}

/// What is right, in doubles.
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < y.size(); ++i) {
    y[i] = r["a"][0] * x[i] + r["b"][0];
  }
}

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
)";

std::string replaced(std::string text, const std::string &from,
                     const std::string &to) {
  for (size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool isIdentifier(const std::string &name) {
  auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9');
         });
}

Status newOp(const Context &context, Options options) {
  if (!isIdentifier(options.name)) {
    return {StatusCode::kInvalidArgument,
            "'" + options.name + "' is no name: letters, digits and _"};
  }
  if (options.output.empty()) {
    options.output = options.name + ".cpp";
  }
  std::error_code error;
  if (std::filesystem::exists(options.output, error)) {
    return {StatusCode::kInvalidArgument,
            options.output + " exists; choose another with -o"};
  }
  const std::string text = replaced(
      replaced(std::string(kTemplate), "@NAME@", options.name), "@FILE@",
      std::filesystem::path(options.output).filename().string());
  KILN_RETURN_IF_ERROR(writeFile(options.output, text));
  context.print(fmt::format("{0}: written; check it with: kiln test-op {0}\n",
                            options.output),
                {{"output", options.output}, {"operator", options.name}});
  return Status::ok();
}

} // namespace

void addNewOp(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(app, context, "new-op",
                           "write a working one-file operator to start from",
                           "kiln new-op my_op && kiln test-op my_op.cpp");
  auto options = std::make_shared<Options>();
  verb->add_option("name", options->name, "of the operator")->required();
  verb->add_option("-o,--output", options->output,
                   "file to write (default: NAME.cpp)");
  setAction(*verb, context, options, newOp);
}

} // namespace kiln::tools
