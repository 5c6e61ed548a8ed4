// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/tolerances.h"

#include <algorithm>
#include <cmath>

namespace kiln::tik {

namespace {

using Values = std::map<std::string, int64_t>;

Values valuesOf(const ToleranceDecl &tolerance) {
  return {tolerance.where.begin(), tolerance.where.end()};
}

/// Whether `all` has every value of `some`.
bool hasEach(const Values &all, const Values &some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

/// The values of both; nothing where no shape has them all.
std::optional<Values> together(const Values &a, Values b) {
  b.insert(a.begin(), a.end());
  return hasEach(b, a) ? std::optional(std::move(b)) : std::nullopt;
}

std::string textOf(const OperatorDecl &decl, const Values &values) {
  std::string text;
  for (const auto &[name, value] : values) {
    text +=
        (text.empty() ? "" : " ") + name + "=" + valueText(decl, name, value);
  }
  return text;
}

class ToleranceCheck {
public:
  ToleranceCheck(const OperatorDecl &decl, MessageList &messages)
      : decl_(decl), messages_(messages) {}

  bool run() {
    for (const ToleranceDecl &tolerance : decl_.tolerances) {
      checkFigures(tolerance);
      checkWhere(tolerance);
    }
    const auto &all = decl_.tolerances;
    for (size_t i = 0; ok_ && i < all.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (all[i].type == all[j].type) {
          checkPair(all[j], all[i]);
        }
      }
    }
    return ok_;
  }

private:
  void checkFigures(const ToleranceDecl &tolerance) {
    const bool figures = tolerance.relative >= 0 && tolerance.absolute >= 0 &&
                         std::isfinite(tolerance.relative) &&
                         std::isfinite(tolerance.absolute);
    if (!figures || tolerance.source.empty()) {
      fail(Mistake::kTolerance, tolerance,
           "the tolerance of " + std::string(isa::name(tolerance.type)) +
               (figures ? " does not say where its figures come from"
                        : " is not a pair of figures from 0 on"));
    }
  }
  void checkWhere(const ToleranceDecl &tolerance) {
    const std::string what =
        "the tolerance of " + std::string(isa::name(tolerance.type));
    Values known;
    for (const auto &[name, value] : tolerance.where) {
      const AttributeDecl *attribute = decl_.attribute(name);
      if (attribute == nullptr) {
        fail(Mistake::kToleranceWhere, tolerance,
             what + " names '" + name + "', which is no attribute");
      } else if (!known.emplace(name, value).second) {
        fail(Mistake::kToleranceWhere, tolerance,
             what + " names '" + name + "' twice");
      } else if (std::find(attribute->legal.begin(), attribute->legal.end(),
                           value) == attribute->legal.end()) {
        fail(Mistake::kToleranceWhere, tolerance,
             what + " names " + name + "=" + valueText(decl_, name, value) +
                 "; possible: " + legalText(decl_, *attribute));
      }
    }
  }
  void checkPair(const ToleranceDecl &before, const ToleranceDecl &tolerance) {
    const Values a = valuesOf(before), b = valuesOf(tolerance);
    if (a == b) {
      fail(Mistake::kTolerancesMeet, tolerance,
           "there is a tolerance of " + nameOf(decl_, tolerance) + " already");
      return;
    }
    const std::optional<Values> both = together(a, b);
    if (!both || hasEach(a, b) || hasEach(b, a)) {
      return;
    }
    const auto &all = decl_.tolerances;
    if (std::none_of(all.begin(), all.end(), [&](const ToleranceDecl &third) {
          return third.type == tolerance.type && valuesOf(third) == *both;
        })) {
      fail(Mistake::kTolerancesMeet, tolerance,
           "with " + textOf(decl_, *both) + " the tolerances of " +
               nameOf(decl_, before) + " and of " + nameOf(decl_, tolerance) +
               " hold");
    }
  }
  void fail(Mistake number, const ToleranceDecl &tolerance,
            const std::string &text) {
    messages_.add(number, tolerance.line, text);
    ok_ = false;
  }

  const OperatorDecl &decl_;
  MessageList &messages_;
  bool ok_ = true;
};

} // namespace

bool checkTolerances(const OperatorDecl &decl, MessageList &messages) {
  return ToleranceCheck(decl, messages).run();
}

const ToleranceDecl *toleranceOf(const OperatorDecl &decl,
                                 isa::ElementType type,
                                 const BoundShape &shape) {
  const ToleranceDecl *best = nullptr;
  for (const ToleranceDecl &tolerance : decl.tolerances) {
    if (tolerance.type == type && hasEach(shape.values, valuesOf(tolerance)) &&
        (!best || tolerance.where.size() > best->where.size())) {
      best = &tolerance;
    }
  }
  return best;
}

std::string nameOf(const OperatorDecl &decl, const ToleranceDecl &tolerance) {
  const std::string type(isa::name(tolerance.type));
  return tolerance.where.empty()
             ? type
             : type + " with " + textOf(decl, valuesOf(tolerance));
}

} // namespace kiln::tik
