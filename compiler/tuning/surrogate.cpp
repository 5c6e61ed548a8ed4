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

/// Matrices are n x n, row after row; of a symmetric one, and of its factor,
/// the upper triangle is used: inner loops run along rows.
///
/// In place, U of U^T U; false when the matrix is not positive definite.
bool cholesky(std::vector<double> &matrix, size_t n) {
  for (size_t k = 0; k < n; ++k) {
    double *row = &matrix[k * n];
    if (!(row[k] > 1e-12)) {
      return false;
    }
    const double scale = 1 / std::sqrt(row[k]);
    for (size_t j = k; j < n; ++j) {
      row[j] *= scale;
    }
    for (size_t i = k + 1; i < n; ++i) {
      double *below = &matrix[i * n];
      const double factor = row[i];
      for (size_t j = i; j < n; ++j) {
        below[j] -= factor * row[j];
      }
    }
  }
  return true;
}

/// (U^T)^-1 x.
void solveTransposed(const std::vector<double> &factor,
                     std::vector<double> &x) {
  const size_t n = x.size();
  for (size_t k = 0; k < n; ++k) {
    const double *row = &factor[k * n];
    const double solved = x[k] /= row[k];
    for (size_t i = k + 1; i < n; ++i) {
      x[i] -= row[i] * solved;
    }
  }
}

/// (U^T U)^-1 x.
std::vector<double> solve(const std::vector<double> &factor,
                          std::vector<double> x) {
  solveTransposed(factor, x);
  const size_t n = x.size();
  for (size_t i = n; i-- > 0;) {
    const double *row = &factor[i * n];
    for (size_t k = i + 1; k < n; ++k) {
      x[i] -= row[k] * x[k];
    }
    x[i] /= row[i];
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

void Surrogate::index() {
  const size_t n = points_.size(), dims = points_.front().size();
  axes_.assign(dims, {});
  places_.resize(dims * n);
  for (size_t d = 0; d < dims; ++d) {
    std::vector<double> &values = axes_[d].values;
    for (const Point &point : points_) {
      values.push_back(point[d]);
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (size_t i = 0; i < n; ++i) {
      places_[d * n + i] = static_cast<uint32_t>(
          std::lower_bound(values.begin(), values.end(), points_[i][d]) -
          values.begin());
    }
  }
}

void Surrogate::fillAxis(const Parameters &p, size_t d) {
  Axis &axis = axes_[d];
  const size_t count = axis.values.size();
  const double scale = std::exp(-p.logLength[d]);
  axis.terms.resize(count * count);
  axis.squares.resize(count * count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j) {
      const double distance =
          std::fabs(axis.values[i] - axis.values[j]) * scale;
      // A coordinate that hardly matters has a long length and adds little to
      // the sum beyond a constant.
      axis.terms[i * count + j] = matern(distance);
      axis.squares[i * count + j] = square(distance);
    }
  }
}

double Surrogate::covariance(double joint, double sum, double squares) const {
  return joint * matern(std::sqrt(squares)) +
         (1 - joint) * sum / static_cast<double>(axes_.size());
}

void Surrogate::fillCovariances(const Parameters &p) {
  const size_t n = points_.size();
  const double joint = 1 / (1 + std::exp(-p.logitJoint));
  factor_.assign(n * n, 0);
  std::vector<double> squares(n);
  for (size_t d = 0; d < axes_.size(); ++d) {
    fillAxis(p, d);
  }
  for (size_t i = 0; i < n; ++i) {
    double *sums = &factor_[i * n];
    std::fill(squares.begin(), squares.end(), 0.0);
    for (size_t d = 0; d < axes_.size(); ++d) {
      const uint32_t *place = &places_[d * n];
      const size_t from = place[i] * axes_[d].values.size();
      for (size_t j = i; j < n; ++j) {
        sums[j] += axes_[d].terms[from + place[j]];
        squares[j] += axes_[d].squares[from + place[j]];
      }
    }
    for (size_t j = i; j < n; ++j) {
      sums[j] = covariance(joint, sums[j], squares[j]);
    }
    sums[i] += std::exp(p.logNoise);
  }
}

double Surrogate::condition(const Parameters &p) {
  const size_t n = points_.size();
  fillCovariances(p);
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
    posterior -= std::log(factor_[i * n + i]);
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
  index();
  if (learn || parameters_.logLength.size() != points_.front().size()) {
    this->learn();
  }
  while (condition(parameters_) == -INFINITY) {
    parameters_.logNoise += 1;
  }
}

Prediction Surrogate::predict(const Point &point) const {
  const size_t n = points_.size();
  const double joint = 1 / (1 + std::exp(-parameters_.logitJoint));
  std::vector<double> k(n, 0), squares(n, 0), terms, square2;
  for (size_t d = 0; d < axes_.size(); ++d) {
    const std::vector<double> &values = axes_[d].values;
    const double scale = std::exp(-parameters_.logLength[d]);
    terms.clear();
    square2.clear();
    for (double value : values) {
      const double distance = std::fabs(point[d] - value) * scale;
      terms.push_back(matern(distance));
      square2.push_back(square(distance));
    }
    const uint32_t *place = &places_[d * n];
    for (size_t i = 0; i < n; ++i) {
      k[i] += terms[place[i]];
      squares[i] += square2[place[i]];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    k[i] = covariance(joint, k[i], squares[i]);
  }
  const double mean = mean_ + dot(k, weights_);
  const double known = dot(k, ones_);
  std::vector<double> v = k;
  solveTransposed(factor_, v);
  // The last term is for the mean, which is estimated too.
  const double variance = 1 - dot(v, v) + square(1 - known) / onesSum_;
  return {mean, std::sqrt(scale_ * std::max(variance, 0.0))};
}

} // namespace kiln::tuning
