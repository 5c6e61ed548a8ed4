// SPDX-License-Identifier: Apache-2.0
//
// Surrogate: a Gaussian process that learns costs from few measurements and
// says how sure it is (Rasmussen, Williams: Gaussian Processes for Machine
// Learning, MIT Press 2006, chapters 2 and 5).
//
//   Surrogate model;
//   model.fit({{0, 0}, {0, 1}, {1, 0}}, {3.0, 2.0, 2.5});
//   Prediction p = model.predict({1, 1});   // p.mean 1.6, p.deviation 0.4
//
// Points are coordinates of about unit range; values are best given as
// logarithms of costs. The covariance is a sum over the coordinates (each
// knob has its own effect) plus a product (they interact), both Matern 5/2
// with a length per coordinate. Lengths and the shares of the two are those of
// the highest posterior, with a log-normal prior that keeps them near 1 while
// there are few points.
//
// Deterministic. fit() costs O(n^3) some dozens of times, predict() O(n^2).
// Coordinates take few values: what depends on one coordinate is computed once
// for each pair of values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kiln::tuning {

struct Prediction {
  double mean = 0;
  double deviation = 0; // standard deviation
};

class Surrogate {
public:
  using Point = std::vector<double>;

  /// At least one point, all of one length. With `learn` false the lengths and
  /// shares of the fit before stay: cheaper.
  void fit(std::vector<Point> points, std::vector<double> values,
           bool learn = true);
  Prediction predict(const Point &point) const;

private:
  struct Parameters {
    std::vector<double> logLength;
    double logitJoint = 0; // of the product's share
    double logNoise = -9;  // of noise over signal variance
  };

  /// A coordinate: the values that points have, and of each pair of them
  /// its term of the sum and its square distance in lengths.
  struct Axis {
    std::vector<double> values;
    std::vector<double> terms, squares; // values.size() squared
  };

  void index();
  void fillAxis(const Parameters &p, size_t axis);
  double covariance(double joint, double sum, double squares) const;
  void fillCovariances(const Parameters &p);
  /// Fills factor_, weights_, mean_, scale_; the log posterior.
  double condition(const Parameters &p);
  void learn();

  std::vector<Point> points_;
  std::vector<double> values_;
  Parameters parameters_;
  std::vector<Axis> axes_;
  std::vector<uint32_t> places_; // of the points in axes_, axis by axis
  std::vector<double> factor_;   // Cholesky: rows of the upper triangle
  std::vector<double> weights_;  // inverse covariance times residuals
  std::vector<double> ones_;     // inverse covariance times ones
  double onesSum_ = 1;
  double mean_ = 0, scale_ = 1;
};

} // namespace kiln::tuning
