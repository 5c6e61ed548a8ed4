// SPDX-License-Identifier: Apache-2.0
#include "tools/io/compare.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

using ops::DataType;

struct FloatFormat {
  int precision;   // significand bits with the implicit one
  int minExponent; // of the smallest normal number
};

FloatFormat formatOf(DataType type) {
  switch (type) {
  case DataType::F16:
    return {11, -14};
  case DataType::BF16:
    return {8, -126};
  case DataType::F64:
    return {53, -1022};
  default:
    return {24, -126};
  }
}

/// Distance in units of the last place of `want`.
double ulpDistance(double got, double want, DataType type) {
  if (!ops::isFloat(type) || !std::isfinite(got) || !std::isfinite(want)) {
    return 0;
  }
  FloatFormat format = formatOf(type);
  int exponent = want == 0 ? format.minExponent
                           : std::max(std::ilogb(want), format.minExponent);
  return std::abs(got - want) /
         std::ldexp(1.0, exponent - format.precision + 1);
}

bool sameSpecial(double got, double want) {
  return got == want || (std::isnan(got) && std::isnan(want));
}

/// Sums for the whole-tensor measures.
struct Sums {
  double gotGot = 0, wantWant = 0, gotWant = 0, error = 0;

  void add(double got, double want) {
    gotGot += got * got;
    wantWant += want * want;
    gotWant += got * want;
    error += (got - want) * (got - want);
  }
};

void finish(const Sums &sums, Comparison &c) {
  double norms = std::sqrt(sums.gotGot) * std::sqrt(sums.wantWant);
  bool bothZero = sums.gotGot == 0 && sums.wantWant == 0;
  c.cosine = bothZero ? 1 : norms > 0 ? sums.gotWant / norms : 0;
  double base = sums.wantWant > 0 ? std::sqrt(sums.wantWant) : 1;
  c.relativeL2 = std::sqrt(sums.error) / base;
}

std::string position(int64_t flat, const ops::Shape &shape) {
  std::string text;
  std::vector<int64_t> strides = ops::stridesOf(shape);
  for (size_t d = 0; d < shape.size(); ++d) {
    text += (d ? "," : "") + std::to_string(flat / strides[d] % shape[d]);
  }
  return "[" + text + "]";
}

} // namespace

std::string Comparison::describe(const ops::Shape &shape) const {
  std::string measures =
      fmt::format("max abs {:.3g}, max rel {:.3g}, max ULP {:.0f}, cosine "
                  "{:.8f}, relative L2 {:.3g}",
                  maxAbsolute, maxRelative, maxUlp, cosine, relativeL2);
  if (passed) {
    return measures;
  }
  return fmt::format("{} of {} elements differ; worst {}: got {:.9g}, want "
                     "{:.9g}; {}",
                     failing, elements, position(worst, shape), worstGot,
                     worstWant, measures);
}

Result<Comparison> compare(const HostTensor &got, const HostTensor &want,
                           ops::Tolerance tolerance) {
  if (got.type != want.type || got.shape != want.shape) {
    return Status(StatusCode::kInvalidArgument,
                  "cannot compare " + kiln::tools::describe(got) + " with " +
                      kiln::tools::describe(want));
  }
  KILN_ASSIGN_OR_RETURN(ops::Tensor a, toReference(got));
  KILN_ASSIGN_OR_RETURN(ops::Tensor b, toReference(want));
  if (!ops::isFloat(want.type)) {
    tolerance = {};
  }
  Comparison c;
  c.elements = b.count();
  Sums sums;
  double worstExcess = -1;
  for (int64_t i = 0; i < b.count(); ++i) {
    double g = a.values[i], w = b.values[i];
    if (sameSpecial(g, w)) {
      if (std::isfinite(w)) {
        sums.add(g, w);
      }
      continue;
    }
    double distance = std::abs(g - w);
    double limit = tolerance.absolute + tolerance.relative * std::abs(w);
    bool fails = !(distance <= limit) || !std::isfinite(w);
    double excess = std::isfinite(distance) ? distance - limit : HUGE_VAL;
    if (excess > worstExcess) {
      worstExcess = excess;
      c.worst = i, c.worstGot = g, c.worstWant = w;
    }
    c.failing += fails;
    double counted = std::isfinite(distance) ? distance : HUGE_VAL;
    c.maxAbsolute = std::max(c.maxAbsolute, counted);
    if (w != 0) {
      c.maxRelative = std::max(c.maxRelative, counted / std::abs(w));
    }
    c.maxUlp = std::max(c.maxUlp, ulpDistance(g, w, want.type));
    sums.add(g, w);
  }
  finish(sums, c);
  auto top = [](const ops::Tensor &t) {
    return std::max_element(t.values.begin(), t.values.end()) -
           t.values.begin();
  };
  c.sameTop1 = top(a) == top(b);
  c.passed = c.failing == 0;
  return c;
}

} // namespace kiln::tools
