// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/surrogate.h"

#include <cmath>

#include <gtest/gtest.h>

namespace kiln::tuning {
namespace {

TEST(Surrogate, PassesThroughItsPointsAndDoubtsTheRest) {
  Surrogate model;
  model.fit({{0.0}, {0.5}, {1.0}}, {1.0, 0.2, 0.8});
  EXPECT_NEAR(model.predict({0.5}).mean, 0.2, 0.02);
  EXPECT_NEAR(model.predict({0.0}).mean, 1.0, 0.02);
  EXPECT_LT(model.predict({0.5}).deviation, 0.05);
  EXPECT_GT(model.predict({0.25}).deviation, model.predict({0.5}).deviation);
}

double smooth(double x, double y) {
  return std::sin(3 * x) + (y - 0.3) * (y - 0.3) + 0.5 * x * y;
}

TEST(Surrogate, LearnsASmoothFunctionAndWhatDoesNotMatter) {
  std::vector<Surrogate::Point> points;
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) {
    // Multiples of irrational numbers fill the unit cube evenly.
    const double x = std::fmod(i * 0.5545, 1), y = std::fmod(i * 0.3081, 1);
    points.push_back({x, y, std::fmod(i * 0.1713, 1)});
    values.push_back(smooth(x, y));
  }
  Surrogate model;
  model.fit(points, values);
  for (double x : {0.15, 0.4, 0.85}) {
    for (double y : {0.1, 0.6, 0.9}) {
      EXPECT_NEAR(model.predict({x, y, 0.5}).mean, smooth(x, y), 0.05);
      EXPECT_NEAR(model.predict({x, y, 0.1}).mean,
                  model.predict({x, y, 0.9}).mean, 0.05);
    }
  }
}

TEST(Surrogate, OnePointAndEqualPointsAreFine) {
  Surrogate model;
  model.fit({{0.3, 0.3}}, {2.0});
  EXPECT_NEAR(model.predict({0.9, 0.9}).mean, 2.0, 1e-6);
  model.fit({{0.3, 0.3}, {0.3, 0.3}, {0.3, 0.3}}, {2.0, 2.0, 2.0});
  EXPECT_NEAR(model.predict({0.3, 0.3}).mean, 2.0, 1e-3);
  EXPECT_TRUE(std::isfinite(model.predict({0.9, 0.1}).deviation));
}

} // namespace
} // namespace kiln::tuning
