// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/operator_decl.h"

#include "tik_dsl/builder/tolerances.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

namespace kiln::tik {

namespace {

bool isNumber(const std::string &text) {
  return !text.empty() && text.size() < 16 &&
         std::all_of(
             text.begin(), text.end(),
             [](char c) { return c >= '0' && c <= '9'; });
}

std::string quoted(const std::string &name) { return "'" + name + "'"; }

/// Symbols in the order in which the tensors name them.
std::vector<std::string> symbolsOf(const OperatorDecl &decl) {
  std::vector<std::string> symbols;
  for (const TensorDecl &tensor : decl.tensors) {
    for (const std::string &dim : tensor.dims) {
      if (!isNumber(dim) &&
          std::find(symbols.begin(), symbols.end(), dim) == symbols.end()) {
        symbols.push_back(dim);
      }
    }
  }
  return symbols;
}

constexpr int64_t kMostSize = int64_t{1} << 31;

bool contains(const std::vector<std::string> &list, const std::string &name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

class DeclarationCheck {
public:
  DeclarationCheck(const OperatorDecl &decl, MessageList &messages)
      : decl_(decl), messages_(messages) {}

  bool run() {
    if (!isIdentifier(decl_.name)) {
      fail(Mistake::kBadDeclaration, decl_.nameLine,
           "the operator's name " + quoted(decl_.name) +
               " is not an identifier");
    }
    checkTensors();
    checkAttributes();
    checkDynamics();
    ok_ &= checkTolerances(decl_, messages_);
    const auto symbols = symbolsOf(decl_);
    for (const std::string &symbol : decl_.macs) {
      if (!isNumber(symbol) && !contains(symbols, symbol) &&
          decl_.attribute(symbol) == nullptr) {
        fail(Mistake::kUnknownMacs, decl_.macsLine,
             "macs: " + quoted(symbol) +
                 " is neither a dimension of a tensor nor an attribute");
      }
    }
    if (!decl_.hasKernel && !decl_.body) {
      fail(Mistake::kNothingToRun, decl_.nameLine,
           quoted(decl_.name) + " has neither a kernel nor a body");
    }
    if (decl_.cases.empty()) {
      fail(Mistake::kNoShape, decl_.nameLine,
           "no shape() is declared: nothing would be tested");
    }
    return ok_;
  }

private:
  void checkTensors() {
    const bool output =
        std::any_of(decl_.tensors.begin(), decl_.tensors.end(),
                    [](const TensorDecl &t) { return t.isOutput; });
    if (!output) {
      fail(Mistake::kNoOutput, decl_.nameLine, "no output is declared");
    }
    std::set<std::string> names;
    for (const TensorDecl &tensor : decl_.tensors) {
      check(tensor);
      if (!names.insert(tensor.name).second) {
        fail(Mistake::kSameName, tensor.line,
             "two tensors are called " + quoted(tensor.name));
      }
    }
  }
  void check(const TensorDecl &tensor) {
    if (!isIdentifier(tensor.name)) {
      fail(Mistake::kTensorName, tensor.line,
           "the tensor name " + quoted(tensor.name) + " is not an identifier");
    }
    if (tensor.dims.empty() || tensor.dims.size() > KILN_TIK_MAX_RANK) {
      fail(Mistake::kTensorRank, tensor.line,
           "tensor " + quoted(tensor.name) + " has " +
               std::to_string(tensor.dims.size()) +
               " dimensions; 1 to 8 are possible");
    }
    for (const std::string &dim : tensor.dims) {
      if (!isNumber(dim) && !isIdentifier(dim)) {
        fail(Mistake::kBadDimension, tensor.line,
             "dimension " + quoted(dim) + " of " + quoted(tensor.name) +
                 " is neither a symbol nor a number");
      }
    }
    if (!std::isfinite(tensor.low) || !std::isfinite(tensor.high) ||
        tensor.low > tensor.high) {
      fail(Mistake::kInputValues, tensor.line,
           "values of " + quoted(tensor.name) + " are drawn from " +
               number(tensor.low) + " to " + number(tensor.high));
    }
    if (!tensor.typeAttribute.empty()) {
      checkTypeAttribute(tensor);
    }
  }
  void checkTypeAttribute(const TensorDecl &tensor) {
    const AttributeDecl *attribute = decl_.attribute(tensor.typeAttribute);
    if (attribute == nullptr) {
      fail(Mistake::kTypeAttribute, tensor.line,
           "the type of " + quoted(tensor.name) + " is attribute " +
               quoted(tensor.typeAttribute) + ", which is not declared");
    }
  }
  void checkAttributes() {
    const auto symbols = symbolsOf(decl_);
    std::set<std::string> names;
    for (const AttributeDecl &attribute : decl_.attributes) {
      if (attribute.legal.empty()) {
        fail(Mistake::kNoLegalValue, attribute.line,
             "attribute " + quoted(attribute.name) + " has no legal value");
      }
      if (!names.insert(attribute.name).second) {
        fail(Mistake::kSameName, attribute.line,
             "two attributes are called " + quoted(attribute.name));
      }
      if (contains(symbols, attribute.name)) {
        fail(Mistake::kBothNames, attribute.line,
             quoted(attribute.name) + " is an attribute and a dimension");
      }
      for (int64_t value : attribute.legal) {
        if (decl_.isTypeAttribute(attribute.name) && (value < 0 || value > 7)) {
          fail(Mistake::kNotAType, attribute.line,
               "attribute " + quoted(attribute.name) + " is a type; " +
                   std::to_string(value) + " is none");
        }
      }
    }
  }
  void checkDynamics() {
    const auto symbols = symbolsOf(decl_);
    for (const DynamicDecl &dynamic : decl_.dynamics) {
      if (decl_.dynamic(dynamic.symbol) != &dynamic) {
        fail(Mistake::kDeclaredTwice, dynamic.line,
             "dynamic: " + quoted(dynamic.symbol) + " has a range already");
      }
      if (!contains(symbols, dynamic.symbol)) {
        fail(Mistake::kUnusedDynamic, dynamic.line,
             "dynamic: " + quoted(dynamic.symbol) +
                 " is no dimension of a tensor");
      }
      if (dynamic.least < 1 || dynamic.most < dynamic.least ||
          dynamic.most > kMostSize) {
        fail(Mistake::kDynamicRange, dynamic.line,
             "dynamic: " + quoted(dynamic.symbol) + " from " +
                 std::to_string(dynamic.least) + " to " +
                 std::to_string(dynamic.most) + "; 1 to " +
                 std::to_string(kMostSize) + " is possible");
      }
    }
  }
  void fail(Mistake number, const AuthorLine &line, const std::string &text) {
    messages_.add(number, line, text);
    ok_ = false;
  }

  const OperatorDecl &decl_;
  MessageList &messages_;
  bool ok_ = true;
};

/// Binds one shape.
class Binder {
public:
  Binder(const OperatorDecl &decl, MessageList &messages)
      : decl_(decl), messages_(messages), symbols_(symbolsOf(decl)) {}

  std::optional<BoundShape> run(const ShapeCase &settings) {
    line_ = settings.line;
    BoundShape shape;
    shape.isEdge = settings.isEdge;
    for (const auto &[name, value] : settings.settings) {
      set(shape, name, value);
    }
    fillDefaults(shape);
    shape.knobs = settings.knobs;
    for (const auto &[name, value] : settings.knobs) {
      shape.kernelKey += "knob " + name + "=" + std::to_string(value) + " ";
    }
    if (!ok_) {
      return std::nullopt;
    }
    for (const TensorDecl &tensor : decl_.tensors) {
      shape.tensors.push_back(bound(tensor, shape));
    }
    if (!ok_) {
      return std::nullopt;
    }
    for (const DynamicDecl &dynamic : decl_.dynamics) {
      shape.constants.push_back(shape.values.at(dynamic.symbol));
    }
    shape.usefulMacs = decl_.macs.empty() ? 0 : 1;
    for (const std::string &symbol : decl_.macs) {
      shape.usefulMacs *= static_cast<uint64_t>(
          isNumber(symbol) ? std::stoll(symbol) : shape.values.at(symbol));
    }
    return shape;
  }

private:
  void set(BoundShape &shape, const std::string &name, int64_t value) {
    if (!shape.values.emplace(name, value).second) {
      fail(Mistake::kNameSetTwice, quoted(name) + " is set twice");
    }
    const AttributeDecl *attribute = decl_.attribute(name);
    if (attribute != nullptr) {
      checkLegal(*attribute, value);
    } else if (!contains(symbols_, name)) {
      fail(Mistake::kUnknownSetting,
           quoted(name) + " is neither a dimension nor an attribute of " +
               decl_.name);
    } else {
      checkSize(name, value);
    }
  }
  void checkLegal(const AttributeDecl &attribute, int64_t value) {
    const auto &values = attribute.legal;
    if (std::find(values.begin(), values.end(), value) != values.end()) {
      return;
    }
    fail(Mistake::kIllegalValue,
         attribute.name + "=" + valueText(decl_, attribute.name, value) +
             "; possible: " + legalText(decl_, attribute));
  }
  void checkSize(const std::string &name, int64_t value) {
    const DynamicDecl *dynamic = decl_.dynamic(name);
    const int64_t least = dynamic ? dynamic->least : 1;
    const int64_t most = dynamic ? dynamic->most : kMostSize;
    if (value < least || value > most) {
      fail(Mistake::kBadSize, name + "=" + std::to_string(value) +
                                  "; a size is " + std::to_string(least) +
                                  " to " + std::to_string(most));
    }
  }
  void fillDefaults(BoundShape &shape) {
    for (const AttributeDecl &attribute : decl_.attributes) {
      shape.values.try_emplace(attribute.name, attribute.legal.front());
    }
    for (const std::string &symbol : symbols_) {
      if (!shape.values.contains(symbol)) {
        fail(Mistake::kBadShapeSetting,
             "dimension " + quoted(symbol) + " has no size");
      }
    }
    for (const std::string &symbol : symbols_) {
      append(shape, symbol);
    }
    for (const AttributeDecl &attribute : decl_.attributes) {
      append(shape, attribute.name);
    }
  }
  void append(BoundShape &shape, const std::string &name) {
    const std::string value = valueText(decl_, name, shape.values[name]);
    shape.text += (shape.text.empty() ? "" : " ") + name + "=" + value;
    if (decl_.dynamic(name) == nullptr) {
      shape.kernelKey += name + "=" + value + " ";
    }
  }
  BoundTensor bound(const TensorDecl &tensor, const BoundShape &shape) {
    BoundTensor result{tensor.isOutput, tensor.name, tensor.type, {},
                       tensor.low,      tensor.high, tensor.dims, tensor.line};
    __int128 elements = 1;
    for (const std::string &dim : tensor.dims) {
      result.dims.push_back(isNumber(dim) ? std::stoll(dim)
                                          : shape.values.at(dim));
      elements = std::min<__int128>(elements * result.dims.back(), kTooMany);
    }
    if (elements == 0 || elements >= kTooMany) {
      fail(Mistake::kTensorTooLarge,
           "tensor " + quoted(tensor.name) +
               (elements == 0 ? " has no element"
                              : " has more than 2^40 elements"));
    }
    if (!tensor.typeAttribute.empty()) {
      result.type =
          static_cast<isa::ElementType>(shape.values.at(tensor.typeAttribute));
    }
    if (!tensor.isOutput) {
      checkValues(result);
    }
    return result;
  }
  /// Values that the type does not have would all be tested as its ends.
  void checkValues(const BoundTensor &tensor) {
    constexpr double kLargest[] = {127,        255,   32767,      65535,
                                   2147483647, 65504, 3.3895e+38, 3.4028e+38};
    const auto type = static_cast<uint32_t>(tensor.type);
    const double most = kLargest[type];
    const bool isUnsigned = tensor.type == isa::ElementType::U8 ||
                            tensor.type == isa::ElementType::U16;
    const bool isInteger = type <= static_cast<uint32_t>(isa::ElementType::I32);
    const double least = isUnsigned ? 0 : isInteger ? -most - 1 : -most;
    const bool byDefault = tensor.low == -1 && tensor.high == 1;
    if (!byDefault && (tensor.low < least || tensor.high > most)) {
      messages_.add(Mistake::kInputValues, tensor.line,
                    "values of " + quoted(tensor.name) + " are drawn from " +
                        number(tensor.low) + " to " + number(tensor.high) +
                        "; " + std::string(isa::name(tensor.type)) + " has " +
                        number(least) + " to " + number(most));
      ok_ = false;
    }
  }
  void fail(Mistake number, const std::string &text) {
    messages_.add(number, line_, text);
    ok_ = false;
  }

  static constexpr int64_t kTooMany = (int64_t{1} << 40) + 1;
  const OperatorDecl &decl_;
  MessageList &messages_;
  std::vector<std::string> symbols_;
  AuthorLine line_;
  bool ok_ = true;
};

} // namespace

Status statusOf(const MessageList &messages) {
  bool onlyCapacity = true;
  for (const Message &message : messages.messages()) {
    onlyCapacity &=
        message.number == static_cast<uint32_t>(Mistake::kDoesNotFit);
  }
  return Status(onlyCapacity ? StatusCode::kDoesNotFit
                             : StatusCode::kInvalidArgument,
                messages.text());
}

std::string valueText(const OperatorDecl &decl, const std::string &attribute,
                      int64_t value) {
  if (decl.isTypeAttribute(attribute) && value >= 0 && value < 8) {
    return std::string(isa::kElementTypeNames[value]);
  }
  return std::to_string(value);
}

std::string legalText(const OperatorDecl &decl,
                      const AttributeDecl &attribute) {
  std::string legal;
  for (int64_t value : attribute.legal) {
    legal +=
        (legal.empty() ? "" : ", ") + valueText(decl, attribute.name, value);
  }
  return legal;
}

bool isIdentifier(const std::string &text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_';
         });
}

bool OperatorDecl::isTypeAttribute(const std::string &name) const {
  const AttributeDecl *declared = attribute(name);
  return (declared != nullptr && declared->holdsTypes) ||
         std::any_of(tensors.begin(), tensors.end(),
                     [&](const TensorDecl &tensor) {
                       return tensor.typeAttribute == name;
                     });
}

const DynamicDecl *OperatorDecl::dynamic(const std::string &symbol) const {
  for (const DynamicDecl &dynamic : dynamics) {
    if (dynamic.symbol == symbol) {
      return &dynamic;
    }
  }
  return nullptr;
}

const AttributeDecl *OperatorDecl::attribute(const std::string &name) const {
  for (const AttributeDecl &attribute : attributes) {
    if (attribute.name == name) {
      return &attribute;
    }
  }
  return nullptr;
}

int64_t BoundTensor::elements() const {
  int64_t elements = 1;
  for (int64_t dim : dims) {
    elements *= dim;
  }
  return elements;
}

bool checkDeclaration(const OperatorDecl &decl, MessageList &messages) {
  return DeclarationCheck(decl, messages).run();
}

std::optional<BoundShape> bind(const OperatorDecl &decl,
                               const ShapeCase &settings,
                               MessageList &messages) {
  return Binder(decl, messages).run(settings);
}

} // namespace kiln::tik
