// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/surrogate.h"

#include <algorithm>
#include <cmath>

namespace kiln::tuning {

namespace {

double matern(double distance) {
  const double r = std::sqrt(5.0) * distance;
  return (1 + r + r * r / 3) * std::exp(-r);
}

/// Lower triangle of a matrix by rows: row i starts at i * (i + 1) / 2.
size_t at(size_t row, size_t column) { return row * (row + 1) / 2 + column; }

/// In place; false when it is not positive definite.
bool cholesky(std::vector<double> &matrix, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = matrix[at(i, j)];
      for (size_t k = 0; k < j; ++k) {
        sum -= matrix[at(i, k)] * matrix[at(j, k)];
      }
      if (i == j) {
        if (!(sum > 1e-12)) {
          return false;
        }
        matrix[at(i, i)] = std::sqrt(sum);
      } else {
        matrix[at(i, j)] = sum / matrix[at(j, j)];
      }
    }
  }
  return true;
}

void solveLower(const std::vector<double> &factor, std::vector<double> &x) {
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      x[i] -= factor[at(i, k)] * x[k];
    }
    x[i] /= factor[at(i, i)];
  }
}

/// (L L^T)^-1 x.
std::vector<double> solve(const std::vector<double> &factor,
                          std::vector<double> x) {
  solveLower(factor, x);
  for (size_t i = x.size(); i-- > 0;) {
    for (size_t k = i + 1; k < x.size(); ++k) {
      x[i] -= factor[at(k, i)] * x[k];
    }
    x[i] /= factor[at(i, i)];
  }
  return x;
}

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

double square(double x) { return x * x; }

} // namespace

double Surrogate::covariance(const Parameters &p, const Point &a,
                             const Point &b) const {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double distance = std::fabs(a[i] - b[i]) * std::exp(-p.logLength[i]);
    // A coordinate that hardly matters has a long length and adds little to
    // the sum beyond a constant.
    sum += matern(distance);
    squares += distance * distance;
  }
  const double joint = 1 / (1 + std::exp(-p.logitJoint));
  return joint * matern(std::sqrt(squares)) +
         (1 - joint) * sum / static_cast<double>(a.size());
}

double Surrogate::condition(const Parameters &p) {
  const size_t n = points_.size();
  factor_.assign(n * (n + 1) / 2, 0);
  const double noise = std::exp(p.logNoise);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      factor_[at(i, j)] = covariance(p, points_[i], points_[j]);
    }
    factor_[at(i, i)] += noise;
  }
  if (!cholesky(factor_, n)) {
    return -INFINITY;
  }
  ones_ = solve(factor_, std::vector<double>(n, 1));
  onesSum_ = dot(ones_, std::vector<double>(n, 1));
  mean_ = dot(ones_, values_) / onesSum_;
  std::vector<double> residual = values_;
  for (double &value : residual) {
    value -= mean_;
  }
  weights_ = solve(factor_, residual);
  // The variance has a weak prior of about one e-fold over 3 samples: few
  // equal values do not make the model certain.
  const double count = static_cast<double>(n);
  scale_ = (dot(residual, weights_) + 3 * square(0.3)) / (count + 3);
  double posterior = -0.5 * (count + 3) * std::log(scale_);
  for (size_t i = 0; i < n; ++i) {
    posterior -= std::log(factor_[at(i, i)]);
  }
  for (double length : p.logLength) {
    posterior -= 0.5 * square((length - 0.3) / 0.9);
  }
  posterior -= 0.5 * square(p.logitJoint / 1.5);
  posterior -= 0.5 * square((p.logNoise + 8) / 1.5);
  return posterior;
}

void Surrogate::learn() {
  const size_t dims = points_.front().size();
  if (parameters_.logLength.size() != dims) {
    parameters_ = {};
    parameters_.logLength.assign(dims, 0.3);
  }
  double best = condition(parameters_);
  // Pattern search: a step up or down in each parameter, halved when nothing
  // helps.
  auto tryStep = [&](double Parameters::*member, double step) {
    Parameters next = parameters_;
    next.*member += step;
    if (double got = condition(next); got > best) {
      best = got;
      parameters_ = next;
      return true;
    }
    return false;
  };
  auto tryLength = [&](size_t i, double step) {
    Parameters next = parameters_;
    next.logLength[i] += step;
    if (double got = condition(next); got > best) {
      best = got;
      parameters_ = next;
      return true;
    }
    return false;
  };
  int rounds = 0;
  for (double step = 1; step > 0.2 && rounds < 12; ++rounds) {
    bool moved = false;
    for (size_t i = 0; i < dims; ++i) {
      moved |= tryLength(i, step) || tryLength(i, -step);
    }
    moved |= tryStep(&Parameters::logitJoint, step) ||
             tryStep(&Parameters::logitJoint, -step);
    moved |= tryStep(&Parameters::logNoise, step) ||
             tryStep(&Parameters::logNoise, -step);
    step = moved ? step : step / 2;
  }
}

void Surrogate::fit(std::vector<Point> points, std::vector<double> values,
                    bool learn) {
  points_ = std::move(points);
  values_ = std::move(values);
  if (learn || parameters_.logLength.size() != points_.front().size()) {
    this->learn();
  }
  while (condition(parameters_) == -INFINITY) {
    parameters_.logNoise += 1;
  }
}

Prediction Surrogate::predict(const Point &point) const {
  std::vector<double> k(points_.size());
  for (size_t i = 0; i < k.size(); ++i) {
    k[i] = covariance(parameters_, point, points_[i]);
  }
  const double mean = mean_ + dot(k, weights_);
  const double known = dot(k, ones_);
  std::vector<double> v = k;
  solveLower(factor_, v);
  // The last term is for the mean, which is estimated too.
  const double variance = 1 - dot(v, v) + square(1 - known) / onesSum_;
  return {mean, std::sqrt(scale_ * std::max(variance, 0.0))};
}

} // namespace kiln::tuning
