// SPDX-License-Identifier: Apache-2.0
//
// An operator behind its C entry point: its declaration, its kernel for one
// shape as an ELF, its reference. Needs no MLIR header.
//
//   Result<Operator> op = Operator::declare(entry, "02_matmul.cpp");
//   Result<BoundShape> shape = op->bind({{"M", 512}, {"N", 512}, {"K", 512}});
//   OperatorCompiler compiler;
//   Result<CompiledKernel> k = compiler.compile(*op, *shape, {.arch = &k1});
//
// Errors: an author's mistakes are kInvalidArgument (kDoesNotFit when buffers
// do not fit and nothing else is wrong) with one line per mistake,
// "file:line: error TIKnnn: what". messages, where given, receives them too.
//
// Thread rule: an OperatorCompiler serves one thread at a time.
#pragma once

#include "isa/abi/launch.h"
#include "isa/arch/arch_spec.h"
#include "isa/support/status.h"
#include "tik_dsl/builder/call_watch.h"
#include "tik_dsl/builder/operator_decl.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kiln::tik {

class Operator {
public:
  /// Asks the entry point for its declaration. `file` stands in messages.
  /// `watch`, where given, is told of every call to the operator's code.
  static Result<Operator> declare(KilnTikEntry entry, std::string file,
                                  CallWatch *watch = nullptr);

  const OperatorDecl &decl() const { return decl_; }
  const std::string &file() const { return file_; }
  KilnTikEntry entry() const { return entry_; }
  CallWatch *watch() const { return watch_; }

  Result<BoundShape> bind(const ShapeCase &settings) const;
  /// Computes the outputs; `tensors` in binding order, outputs sized.
  Status reference(const BoundShape &shape,
                   std::span<std::vector<double>> tensors) const;

private:
  KilnTikEntry entry_ = nullptr;
  CallWatch *watch_ = nullptr;
  std::string file_;
  OperatorDecl decl_;
};

struct KnobDecl; // tik_dsl/builder/knobs.h

struct CompileOptions {
  const isa::ArchSpec *arch = nullptr; // borrowed
  uint32_t cores = 1;
  bool barrierAll = false; // a barrier after every command: the oracle
  bool keepText = false;   // fill CompiledKernel::text
  /// What knobsOf() gives for the operator, shape, machine and cores; null:
  /// they are asked for again, which may cost more than a quick build.
  const std::vector<KnobDecl> *knobs = nullptr; // borrowed
};

/// What a failed assertion of a kernel means.
struct Assertion {
  AuthorLine at;
  std::string text;
};

struct CompiledKernel {
  std::vector<uint8_t> elf;
  isa::KernelNote note;
  std::string name;
  uint32_t blocks = 1;
  std::string text;   // the kernel in the npu dialect
  KnobValues setting; // every knob with the value that it was built with
  /// Of the workspaces: bindings after the tensors.
  std::vector<uint64_t> workspaceBytes;
  /// A line for every barrier that the compiler put in, with its reason.
  std::vector<std::string> remarks;
  /// Blocks add floats to one place: bits depend on who comes first.
  bool orderDependent = false;
  /// Assertion i of the kernel traps with code kAssertionCode + i.
  std::vector<Assertion> assertions;

  static constexpr int64_t kAssertionCode = 0x1000;
  /// "op.cpp:12: 'text' does not hold" for a fault of one of them, else "".
  std::string explain(const std::string &fault) const;
};

/// What a launch binds: the tensors, then the workspaces; all zeros.
std::vector<std::vector<uint8_t>> zeroBindings(const BoundShape &shape,
                                               const CompiledKernel &kernel);

class OperatorCompiler {
public:
  OperatorCompiler();
  ~OperatorCompiler();
  OperatorCompiler(OperatorCompiler &&) noexcept;
  OperatorCompiler &operator=(OperatorCompiler &&) noexcept;

  Result<CompiledKernel> compile(const Operator &op, const BoundShape &shape,
                                 const CompileOptions &options,
                                 MessageList *messages = nullptr);

  /// Whether compile() takes the shape with its knobs, and if not why, as that
  /// says it: everything up to the kernel in the npu dialect and the places of
  /// its buffers.
  Status check(const Operator &op, const BoundShape &shape,
               const CompileOptions &options, MessageList *messages = nullptr);
  /// The same without the reason, for many settings of one shape: faster, above
  /// all where the answer is no.
  bool accepts(const Operator &op, const BoundShape &shape,
               const CompileOptions &options);

private:
  struct Build;
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace kiln::tik
