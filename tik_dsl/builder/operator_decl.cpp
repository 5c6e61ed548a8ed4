// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/operator_decl.h"

#include <algorithm>
#include <set>

namespace kiln::tik {

namespace {

bool isNumber(const std::string &text) {
  return !text.empty() && text.size() < 16 &&
         std::all_of(
             text.begin(), text.end(),
             [](char c) { return c >= '0' && c <= '9'; });
}

bool isIdentifier(const std::string &text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_';
         });
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

const AttributeDecl *attributeOf(const OperatorDecl &decl,
                                 const std::string &name) {
  for (const AttributeDecl &attribute : decl.attributes) {
    if (attribute.name == name) {
      return &attribute;
    }
  }
  return nullptr;
}

std::string valueText(const OperatorDecl &decl, const std::string &name,
                      int64_t value) {
  if (decl.isTypeAttribute(name) && value >= 0 && value < 8) {
    return std::string(isa::kElementTypeNames[value]);
  }
  return std::to_string(value);
}

class DeclarationCheck {
public:
  DeclarationCheck(const OperatorDecl &decl, MessageList &messages)
      : decl_(decl), messages_(messages) {}

  bool run() {
    if (!isIdentifier(decl_.name)) {
      fail("the operator's name " + quoted(decl_.name) +
           " is not an identifier");
    }
    const bool output =
        std::any_of(decl_.tensors.begin(), decl_.tensors.end(),
                    [](const TensorDecl &t) { return t.isOutput; });
    if (!output) {
      fail("no output is declared");
    }
    std::set<std::string> names;
    for (const TensorDecl &tensor : decl_.tensors) {
      check(tensor);
      if (!names.insert(tensor.name).second) {
        fail("two tensors are called " + quoted(tensor.name));
      }
    }
    for (const AttributeDecl &attribute : decl_.attributes) {
      if (attribute.legal.empty()) {
        fail("attribute " + quoted(attribute.name) + " has no legal value");
      }
    }
    if (decl_.cases.empty()) {
      fail("no shape() is declared: nothing would be tested");
    }
    return ok_;
  }

private:
  void check(const TensorDecl &tensor) {
    if (!isIdentifier(tensor.name)) {
      fail("the tensor name " + quoted(tensor.name) + " is not an identifier");
    }
    if (tensor.dims.empty() || tensor.dims.size() > KILN_TIK_MAX_RANK) {
      fail("tensor " + quoted(tensor.name) + " has " +
           std::to_string(tensor.dims.size()) +
           " dimensions; 1 to 8 are "
           "possible");
    }
    for (const std::string &dim : tensor.dims) {
      if (!isNumber(dim) && !isIdentifier(dim)) {
        fail("dimension " + quoted(dim) + " of " + quoted(tensor.name) +
             " is neither a symbol nor a number");
      }
    }
    if (tensor.typeAttribute.empty()) {
      return;
    }
    const AttributeDecl *attribute = attributeOf(decl_, tensor.typeAttribute);
    if (attribute == nullptr) {
      fail("the type of " + quoted(tensor.name) + " is attribute " +
           quoted(tensor.typeAttribute) + ", which is not declared");
      return;
    }
    for (int64_t value : attribute->legal) {
      if (value < 0 || value > 7) {
        fail("attribute " + quoted(attribute->name) + " is a type; " +
             std::to_string(value) + " is none");
      }
    }
  }
  void fail(const std::string &text) {
    messages_.add(Mistake::kBadDeclaration, {}, text);
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
    BoundShape shape;
    shape.isEdge = settings.isEdge;
    for (const auto &[name, value] : settings.settings) {
      set(shape, name, value);
    }
    fillDefaults(shape);
    if (!ok_) {
      return std::nullopt;
    }
    for (const TensorDecl &tensor : decl_.tensors) {
      shape.tensors.push_back(bound(tensor, shape));
    }
    if (!ok_) {
      return std::nullopt;
    }
    shape.usefulMacs = decl_.macs.empty() ? 0 : 1;
    for (const std::string &symbol : decl_.macs) {
      const auto value = shape.values.find(symbol);
      shape.usefulMacs *= value == shape.values.end() ? 1 : value->second;
    }
    return shape;
  }

private:
  void set(BoundShape &shape, const std::string &name, int64_t value) {
    const AttributeDecl *attribute = attributeOf(decl_, name);
    const bool symbol =
        std::find(symbols_.begin(), symbols_.end(), name) != symbols_.end();
    if (attribute != nullptr &&
        std::find(attribute->legal.begin(), attribute->legal.end(), value) ==
            attribute->legal.end()) {
      std::string legal;
      for (int64_t v : attribute->legal) {
        legal += (legal.empty() ? "" : ", ") + valueText(decl_, name, v);
      }
      fail(name + "=" + valueText(decl_, name, value) + "; possible: " + legal);
    } else if (attribute == nullptr && !symbol) {
      fail(quoted(name) + " is neither a dimension nor an attribute of " +
           decl_.name);
    } else if (attribute == nullptr && (value < 1 || value > kMostSize)) {
      fail(name + "=" + std::to_string(value) + "; a size is 1 to " +
           std::to_string(kMostSize));
    }
    shape.values[name] = value;
  }
  void fillDefaults(BoundShape &shape) {
    for (const AttributeDecl &attribute : decl_.attributes) {
      shape.values.try_emplace(attribute.name, attribute.legal.front());
    }
    for (const std::string &symbol : symbols_) {
      if (!shape.values.contains(symbol)) {
        fail("dimension " + quoted(symbol) + " has no size");
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
    shape.text += (shape.text.empty() ? "" : " ") + name + "=" +
                  valueText(decl_, name, shape.values[name]);
  }
  BoundTensor bound(const TensorDecl &tensor, const BoundShape &shape) {
    BoundTensor result{tensor.isOutput, tensor.name, tensor.type, {},
                       tensor.low,      tensor.high};
    __int128 elements = 1;
    for (const std::string &dim : tensor.dims) {
      result.dims.push_back(isNumber(dim) ? std::stoll(dim)
                                          : shape.values.at(dim));
      elements = std::min<__int128>(elements * result.dims.back(), kTooMany);
    }
    if (elements == 0 || elements >= kTooMany) {
      fail(
          "tensor " + quoted(tensor.name) +
          (elements == 0 ? " has no element" : " has more than 2^40 elements"));
    }
    if (!tensor.typeAttribute.empty()) {
      result.type =
          static_cast<isa::ElementType>(shape.values.at(tensor.typeAttribute));
    }
    return result;
  }
  void fail(const std::string &text) {
    messages_.add(Mistake::kBadShapeSetting, {}, text);
    ok_ = false;
  }

  static constexpr int64_t kMostSize = int64_t{1} << 31;
  static constexpr int64_t kTooMany = (int64_t{1} << 40) + 1;
  const OperatorDecl &decl_;
  MessageList &messages_;
  std::vector<std::string> symbols_;
  bool ok_ = true;
};

} // namespace

bool OperatorDecl::isTypeAttribute(const std::string &attribute) const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const TensorDecl &tensor) {
                       return tensor.typeAttribute == attribute;
                     });
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
