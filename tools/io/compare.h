// SPDX-License-Identifier: Apache-2.0
//
// How far two tensors are apart, element by element.
//
//   Result<Comparison> c = compare(got, want, {1e-3, 1e-4});
//   if (!c->passed) print(c->describe());
//
// An element passes when |got - want| <= absolute + relative * |want|, or when
// both are NaN, or both are the same infinity. Integers and bool are compared
// exactly whatever the tolerance.
#pragma once

#include "ops/library.h"
#include "tools/io/host_tensor.h"

namespace kiln::tools {

struct Comparison {
  bool passed = false;
  int64_t elements = 0;
  int64_t failing = 0;
  double maxAbsolute = 0;
  double maxRelative = 0; // where |want| > 0
  double maxUlp = 0;      // in the type of `want`; 0 for integers
  double cosine = 1;      // of the two as vectors; 1 when both are zero
  double relativeL2 = 0;  // |got - want| / |want|
  bool sameTop1 = true;   // position of the largest element
  int64_t worst = 0;      // element with the largest excess
  double worstGot = 0;
  double worstWant = 0;

  /// "12 of 1000 elements differ; worst [0,17]: got 0.5, want 0.7 (3e5 ULP)".
  std::string describe(const ops::Shape &shape) const;
};

/// kInvalidArgument when types or shapes differ.
Result<Comparison> compare(const HostTensor &got, const HostTensor &want,
                           ops::Tolerance tolerance);

} // namespace kiln::tools
