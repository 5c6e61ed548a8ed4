// SPDX-License-Identifier: Apache-2.0
//
// What an operator file declares, and one shape of it.
//
//   OperatorDecl decl;                       // filled through the table
//   if (checkDeclaration(decl, messages)) ...
//   std::optional<BoundShape> s = bind(decl, decl.cases[0], messages);
#pragma once

#include "isa/codec/machine_types.h"
#include "isa/support/status.h"
#include "tik_dsl/builder/mistakes.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiln::tik {

struct TensorDecl {
  bool isOutput = false;
  std::string name;
  isa::ElementType type{};
  std::string typeAttribute; // empty: `type`
  std::vector<std::string> dims;
  double low = -1, high = 1; // of test inputs
  AuthorLine line{};
};

struct AttributeDecl {
  std::string name;
  std::vector<int64_t> legal; // the first is the default
  bool holdsTypes = false;    // its values are element types
  AuthorLine line{};
};

/// A dimension that every launch gives: one kernel serves least to most.
struct DynamicDecl {
  std::string symbol;
  int64_t least = 1, most = 1;
  AuthorLine line{};
};

/// Knobs by name, with a value each.
using KnobValues = std::vector<std::pair<std::string, int64_t>>;

/// Symbols and attributes by name, with a size or value each.
using SettingList = std::vector<std::pair<std::string, int64_t>>;

/// Sizes of symbols and values of attributes; values of knobs that are not to
/// have their default.
struct ShapeCase {
  bool isEdge = false;
  SettingList settings;
  AuthorLine line{};
  KnobValues knobs{};
};

struct ToleranceDecl {
  isa::ElementType type{};
  double relative = 0, absolute = 0;
  std::string source;
  SettingList where; // attributes; empty: every shape
  AuthorLine line{};
};

/// MLIR text as the author wrote it, with its first line.
struct BodyDecl {
  std::string text;
  AuthorLine line{};
};

struct OperatorDecl {
  std::string name, summary;
  std::string domain = "kiln.custom"; // of ONNX nodes
  std::vector<TensorDecl> tensors;    // inputs, then outputs: the bindings
  std::vector<AttributeDecl> attributes;
  std::vector<ShapeCase> cases;
  std::vector<ToleranceDecl> tolerances;
  std::vector<std::string> macs; // symbols, numbers; their product: useful work
  std::vector<DynamicDecl> dynamics;
  std::optional<BodyDecl> body; // linalg, see body.h
  bool hasKernel = true;
  AuthorLine line; // of the declaration being made
  AuthorLine nameLine, macsLine;

  const DynamicDecl *dynamic(const std::string &symbol) const;
  const AttributeDecl *attribute(const std::string &name) const;
  /// Its values are element types: it says so, or a tensor has one of them.
  bool isTypeAttribute(const std::string &name) const;
};

struct BoundTensor {
  bool isOutput = false;
  std::string name;
  isa::ElementType type{};
  std::vector<int64_t> dims;
  double low = -1, high = 1;
  std::vector<std::string> symbols; // of dims, as declared
  AuthorLine line{};

  int64_t elements() const;
};

/// One shape: every size and attribute has a value.
struct BoundShape {
  bool isEdge = false;
  std::map<std::string, int64_t> values;
  std::vector<BoundTensor> tensors;
  uint64_t usefulMacs = 0;
  std::string text; // "M=512 N=512 K=512 out=f32"
  /// The same without sizes that the launch gives and with the knobs that were
  /// asked for: shapes with equal keys share one kernel.
  std::string kernelKey;
  std::vector<int64_t> constants; // the dynamic sizes, as declared
  KnobValues knobs;               // as asked for; not checked
};

/// A failure with all messages, of which there is one: kDoesNotFit where
/// buffers do not fit and nothing else is wrong, else kInvalidArgument.
Status statusOf(const MessageList &messages);

/// "f16" of an attribute whose values are types, else the number.
std::string valueText(const OperatorDecl &decl, const std::string &attribute,
                      int64_t value);
/// The legal values of an attribute, "f16, f32".
std::string legalText(const OperatorDecl &decl, const AttributeDecl &attribute);

/// Letters, digits and _, no digit first.
bool isIdentifier(const std::string &text);

/// False with messages when the declaration contradicts itself.
bool checkDeclaration(const OperatorDecl &decl, MessageList &messages);

/// Gives every symbol and attribute a value; nothing with messages when one
/// is missing, unknown or illegal.
std::optional<BoundShape> bind(const OperatorDecl &decl,
                               const ShapeCase &settings,
                               MessageList &messages);

} // namespace kiln::tik
