// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/body.h"

namespace kiln::tik {

namespace {

constexpr std::pair<ElementType, isa::ElementType> kTypes[] = {
    {ElementType::kI8, isa::ElementType::I8},
    {ElementType::kU8, isa::ElementType::U8},
    {ElementType::kI16, isa::ElementType::I16},
    {ElementType::kU16, isa::ElementType::U16},
    {ElementType::kI32, isa::ElementType::I32},
    {ElementType::kF16, isa::ElementType::F16},
    {ElementType::kBf16, isa::ElementType::BF16},
    {ElementType::kF32, isa::ElementType::F32}};

bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// The name of "{NAME}" at `at`; empty when nothing of this form is there.
std::string_view nameAt(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && (isLetter(text[end]) || isDigit(text[end]))) {
    ++end;
  }
  const bool named = end > at + 1 && isLetter(text[at + 1]) &&
                     end < text.size() && text[end] == '}';
  return named ? text.substr(at + 1, end - at - 1) : std::string_view();
}

/// The author's text with values for names.
class Substitution {
public:
  Substitution(const OperatorDecl &decl, const BoundShape &shape,
               MessageList &messages)
      : decl_(decl), shape_(shape), messages_(messages) {}

  std::optional<std::string> run(const BodyDecl &body) {
    const std::string_view text = body.text;
    std::string result;
    AuthorLine line = body.line;
    bool good = true;
    for (size_t i = 0; i < text.size(); ++i) {
      line.line += text[i] == '\n';
      const std::string_view name =
          text[i] == '{' ? nameAt(text, i) : std::string_view();
      if (name.empty()) {
        result += text[i];
        continue;
      }
      const auto value = shape_.values.find(std::string(name));
      if (value == shape_.values.end()) {
        messages_.add(Mistake::kBodyName, line,
                      "body: '{" + std::string(name) +
                          "}' is neither a dimension nor an attribute of " +
                          decl_.name);
        good = false;
      } else {
        result += textOf(value->first, value->second);
      }
      i += name.size() + 1;
    }
    return good ? std::optional(std::move(result)) : std::nullopt;
  }

private:
  std::string textOf(const std::string &name, int64_t value) const {
    return valueText(decl_, name, value);
  }

  const OperatorDecl &decl_;
  const BoundShape &shape_;
  MessageList &messages_;
};

Mistake mistakeOf(BodyFault fault) {
  switch (fault) {
  case BodyFault::kSignature:
    return Mistake::kBodySignature;
  case BodyFault::kOperation:
    return Mistake::kBodyOperation;
  case BodyFault::kMemory:
    return Mistake::kBodyMemory;
  case BodyFault::kSize:
    return Mistake::kBodySize;
  case BodyFault::kText:
    break;
  }
  return Mistake::kBodyText;
}

bool isSigned(const BoundShape &shape, MessageList &messages) {
  bool good = true;
  for (const BoundTensor &tensor : shape.tensors) {
    if (tensor.type == isa::ElementType::U8 ||
        tensor.type == isa::ElementType::U16) {
      messages.add(Mistake::kBodyType, tensor.line,
                   "body: '" + tensor.name + "' is " +
                       std::string(isa::name(tensor.type)));
      good = false;
    }
  }
  return good;
}

} // namespace

ElementType graphType(isa::ElementType type) {
  for (const auto &[graph, machine] : kTypes) {
    if (machine == type) {
      return graph;
    }
  }
  return ElementType::kF32;
}

std::optional<isa::ElementType> machineType(ElementType type) {
  for (const auto &[graph, machine] : kTypes) {
    if (graph == type) {
      return machine;
    }
  }
  return std::nullopt;
}

BodySignature bodySignature(const BoundShape &shape) {
  BodySignature signature;
  for (const BoundTensor &tensor : shape.tensors) {
    auto &list = tensor.isOutput ? signature.outputs : signature.inputs;
    list.push_back({tensor.name, {graphType(tensor.type), tensor.dims}});
  }
  return signature;
}

std::optional<std::string> BodyCompiler::compile(const OperatorDecl &decl,
                                                 const BoundShape &shape,
                                                 MessageList &messages) {
  if (!isSigned(shape, messages)) {
    return std::nullopt;
  }
  auto text = Substitution(decl, shape, messages).run(*decl.body);
  if (!text) {
    return std::nullopt;
  }
  if (!reader_) {
    reader_.emplace();
  }
  std::vector<BodyFinding> findings;
  auto result = reader_->read(
      {std::move(*text), decl.body->line.file, decl.body->line.line},
      bodySignature(shape), findings);
  for (const BodyFinding &finding : findings) {
    messages.add(mistakeOf(finding.fault), {finding.file, finding.line, 0},
                 "body: " + finding.text);
  }
  return result;
}

Result<std::string> BodyCompiler::compile(const Operator &op,
                                          const BoundShape &shape,
                                          MessageList *messages) {
  MessageList own;
  MessageList &list = messages ? *messages : own;
  if (auto body = compile(op.decl(), shape, list)) {
    return std::move(*body);
  }
  return Status(StatusCode::kInvalidArgument, list.text());
}

} // namespace kiln::tik
