// SPDX-License-Identifier: Apache-2.0
//
// A one-file operator: what it is (Declaration), its kernel (kernel.h) and its
// reference. KILN_OPERATOR exports the file's one symbol.
//
//   void declare(Declaration &d) {
//     d.name("vector_add", "z = x + y");
//     d.input("x", f16, {"N"}).input("y", f16, {"N"}).output("z", f16, {"N"});
//     d.shape({{"N", 4096}}).edge({{"N", 1}});
//     d.tolerance(f16, 0, 0, "one IEEE 754 addition");
//   }
//   void kernel(const Kernel &k) { ... }
//   void reference(const Reference &r) {
//     for (int64_t i = 0; i < r["z"].size(); ++i)
//       r["z"][i] = r["x"][i] + r["y"][i];
//   }
//   KILN_OPERATOR(declare, kernel, reference)
//
// Dimensions are symbols or numbers; a symbol means the same size wherever it
// stands, so shapes of outputs follow from those of inputs; dynamic() leaves it
// to the launch. Attributes are
// named build-time integers with their legal values; an attribute may name the
// type of a tensor. The reference sees every element as double; its results
// are compared with the kernel's by the tolerance of the output's type, which
// may depend on values of attributes. A fourth function may declare knobs
// (knobs.h).
//
// Contract: the functions depend on their argument only.
#pragma once

#include "tik_dsl/api/knobs.h"

#include <exception>

namespace kiln::tik {

/// A dimension: a symbol (an identifier) or a number, 1 to 2^31.
class Dim {
public:
  Dim(const char *symbol) : text_(symbol) {}
  Dim(RunTimeInteger auto value) {
    char *out = number_ + sizeof(number_);
    *--out = 0;
    auto left = static_cast<uint64_t>(value);
    do {
      *--out = static_cast<char>('0' + left % 10);
    } while ((left /= 10) != 0);
    offset_ = static_cast<int>(out - number_);
  }
  const char *text() const { return text_ ? text_ : number_ + offset_; }

private:
  const char *text_ = nullptr;
  char number_[24] = {};
  int offset_ = 0;
};

/// A type, or the attribute that holds it.
class TypeName {
public:
  TypeName(Type type) : type_(type) {}
  TypeName(const char *attribute) : attribute_(attribute) {}
  uint32_t type() const { return static_cast<uint32_t>(type_); }
  const char *attribute() const { return attribute_; }

private:
  Type type_ = f16;
  const char *attribute_ = nullptr;
};

/// A value of an attribute or a size of a dimension.
struct Value {
  Value(RunTimeInteger auto v) : number(static_cast<int64_t>(v)) {}
  Value(Type type) : number(static_cast<int64_t>(type)), isType(true) {}
  int64_t number;
  bool isType = false;
};
struct Setting {
  const char *name;
  Value value;
};

/// Test inputs are drawn evenly from low to high (finite, low <= high: TIK522)
/// and rounded to the element type.
struct Values {
  double low = -1, high = 1;
};

/// MLIR text, and the line it begins at.
struct Body {
  Body(const char *mlir, Line line = Line::current())
      : text(mlir), line(line) {}
  const char *text;
  Line line;
};

class Declaration {
public:
  explicit Declaration(const KilnTikTable *table) : t_(table) {}

  /// Once: an identifier, which models use as the node's operator type.
  Declaration &name(const char *name, const char *summary,
                    Line line = Line::current()) {
    at(line);
    t_->declareOperator(t_->self, name, summary);
    return *this;
  }
  /// The ONNX domain under which models use it; default "kiln.custom".
  Declaration &domain(const char *domain, Line line = Line::current()) {
    at(line);
    t_->declareDomain(t_->self, domain);
    return *this;
  }
  /// 1 to 8 dimensions; inputs are bound in the order they are declared, then
  /// the outputs.
  Declaration &input(const char *name, TypeName type,
                     std::initializer_list<Dim> dims, Values values = {},
                     Line line = Line::current()) {
    at(line);
    return tensor(0, name, type, dims, values);
  }
  /// Its dimensions follow from those of inputs, from attributes or numbers.
  Declaration &output(const char *name, TypeName type,
                      std::initializer_list<Dim> dims,
                      Line line = Line::current()) {
    at(line);
    return tensor(1, name, type, dims, {});
  }
  /// The first legal value is the default; at most 64 (TIK538). Where all are
  /// types, texts name them: softmax=f32.
  Declaration &attribute(const char *name, std::initializer_list<Value> legal,
                         Line line = Line::current()) {
    at(line);
    fits(legal.size(), line);
    int64_t values[kMaxList];
    uint32_t count = 0;
    bool areTypes = legal.size() > 0;
    for (const Value &value : legal) {
      areTypes &= value.isType;
      if (count < kMaxList) {
        values[count++] = value.number;
      }
    }
    t_->declareAttribute(t_->self, name, count, values);
    if (areTypes) {
      t_->declareTypeValues(t_->self, name);
    }
    return *this;
  }
  /// A shape that is tested and timed: a size for every symbol, attributes that
  /// differ from their default.
  Declaration &shape(std::initializer_list<Setting> settings,
                     Line line = Line::current()) {
    at(line);
    fits(settings.size(), line);
    return shape(0, settings);
  }
  /// A shape at the edge of what the kernel can do: tested, not timed.
  Declaration &edge(std::initializer_list<Setting> settings,
                    Line line = Line::current()) {
    at(line);
    fits(settings.size(), line);
    return shape(1, settings);
  }
  /// Passes: |got - want| <= absolute + relative * |want|, for outputs of
  /// `type`; exact where none is declared. `source`: where the figures come
  /// from. `where`: only of shapes in which attributes have these values,
  ///
  ///   d.tolerance(f16, 2e-3, 3e-3, "scores in 11 bits");
  ///   d.tolerance(f16, 1e-3, 3e-4, "fp32 inside", {{"softmax", f32}});
  ///
  /// Of those that hold for a shape the one with the most attributes counts;
  /// that there is one is checked when the file is loaded (TIK543).
  Declaration &tolerance(Type type, double relative, double absolute,
                         const char *source,
                         std::initializer_list<Setting> where = {},
                         Line line = Line::current()) {
    at(line);
    const Settings s(where);
    t_->declareToleranceAt(t_->self, static_cast<uint32_t>(type), relative,
                           absolute, source, s.count, s.names, s.values);
    return *this;
  }
  /// Useful multiply-accumulates are the product of these dimensions and
  /// attributes.
  Declaration &macs(std::initializer_list<Dim> factors,
                    Line line = Line::current()) {
    at(line);
    fits(factors.size(), line);
    const char *texts[kMaxList];
    uint32_t count = 0;
    for (const Dim &factor : factors) {
      if (count < kMaxList) {
        texts[count++] = factor.text();
      }
    }
    t_->declareMacs(t_->self, count, texts);
    return *this;
  }

  /// One kernel serves every size from least to most: the launch gives it. In
  /// the kernel the dimension is a run-time value, Tensor::extent().
  Declaration &dynamic(const char *symbol, int64_t least, int64_t most,
                       Line line = Line::current()) {
    at(line);
    t_->declareDynamic(t_->self, symbol, least, most);
    return *this;
  }

  /// What the operator computes, as one function of MLIR: linalg on tensors,
  /// the inputs its arguments, the outputs its results. With it the operator
  /// runs on the CPU device too, and on the NPU where it has no kernel
  /// (KILN_OPERATOR(declare, nullptr, reference)). {N} is the size or the
  /// attribute N, an attribute that is a type the type's name; a `?` is any
  /// size. Begin the raw string on the line of the call: mistakes are reported
  /// at lines of this file. tik_dsl/README.md has what a body may hold.
  Declaration &body(Body body) {
    const KilnTikLine where = detail::toC(body.line);
    t_->declareBody(t_->self, body.text, &where);
    return *this;
  }

private:
  static constexpr uint32_t kMaxList = 64;

  void at(const Line &line) {
    const KilnTikLine where = detail::toC(line);
    t_->declareLine(t_->self, &where);
  }

  void fits(size_t count, const Line &line) {
    if (count > kMaxList) {
      const KilnTikLine where = detail::toC(line);
      t_->mistake(t_->self, 538, "a list of more than 64", &where);
    }
  }

  Declaration &tensor(uint32_t isOutput, const char *name, const TypeName &type,
                      std::initializer_list<Dim> dims, const Values &values) {
    const char *texts[kMaxList];
    uint32_t rank = 0;
    for (const Dim &dim : dims) {
      if (rank < kMaxList) {
        texts[rank++] = dim.text();
      }
    }
    t_->declareTensor(t_->self, isOutput, name, type.type(), type.attribute(),
                      rank, texts, values.low, values.high);
    return *this;
  }
  /// In the table's form.
  struct Settings {
    explicit Settings(std::initializer_list<Setting> settings) {
      for (const Setting &setting : settings) {
        if (count < kMaxList) {
          names[count] = setting.name;
          values[count++] = setting.value.number;
        }
      }
    }
    const char *names[kMaxList];
    int64_t values[kMaxList];
    uint32_t count = 0;
  };
  Declaration &shape(uint32_t isEdge, std::initializer_list<Setting> settings) {
    const Settings s(settings);
    t_->declareShape(t_->self, isEdge, s.count, s.names, s.values);
    return *this;
  }

  const KilnTikTable *t_;
};

namespace detail {

/// Leaves the operator's code after a mistake that was reported.
struct Stop {};

} // namespace detail

/// A tensor of the reference, row-major, every type as double.
class HostArray {
public:
  /// A number with the author's line.
  struct Element {
    Element(RunTimeInteger auto i, Line where = Line::current())
        : index(static_cast<int64_t>(i)), line(where) {}
    int64_t index;
    Line line;
  };

  HostArray(const KilnTikTable *table, const KilnTikHostTensor &tensor)
      : t_(table), tensor_(tensor) {
    for (uint32_t i = 0; i < tensor_.rank; ++i) {
      size_ *= tensor_.dims[i];
    }
  }

  /// Size of dimension i; 1 beyond the rank.
  int64_t dim(int64_t i) const {
    return i >= 0 && i < tensor_.rank ? tensor_.dims[i] : 1;
  }
  /// Number of elements.
  int64_t size() const { return size_; }
  /// Row-major, size() elements.
  double *data() const { return tensor_.data; }
  /// Element i in row-major order; TIK534 where there is none.
  double &operator[](Element i) const {
    if (static_cast<uint64_t>(i.index) >= static_cast<uint64_t>(size_))
        [[unlikely]] {
      missing(t_, tensor_.data, i.index, i.line);
    }
    return tensor_.data[i.index];
  }

private:
  // Takes no `this`: sizes stay in registers of the reference's loops.
  [[noreturn]] __attribute__((noinline, cold)) static void
  missing(const KilnTikTable *t, const double *data, int64_t index, Line line) {
    const KilnTikLine at = detail::toC(line);
    t->noElement(t->self, data, index, &at);
    throw detail::Stop();
  }

  const KilnTikTable *t_;
  KilnTikHostTensor tensor_;
  int64_t size_ = 1;
};

class Reference {
public:
  /// A name with the author's line.
  struct Name {
    Name(const char *words, Line where = Line::current())
        : text(words), line(where) {}
    const char *text;
    Line line;
  };

  explicit Reference(const KilnTikTable *table) : t_(table) {}

  /// A declared tensor by name; another name is TIK501.
  HostArray operator[](const Name &name) const {
    const KilnTikLine at = detail::toC(name.line);
    KilnTikHostTensor tensor{};
    t_->declareLine(t_->self, &at);
    t_->hostTensor(t_->self, name.text, &tensor);
    if (tensor.data == nullptr) {
      throw detail::Stop();
    }
    return HostArray(t_, tensor);
  }
  /// A declared attribute or a dimension's symbol; another name is TIK506.
  int64_t attribute(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return t_->attribute(t_->self, name, &at);
  }

private:
  const KilnTikTable *t_;
};

namespace detail {

inline int32_t answer(const KilnTikRequest *request,
                      void (*declare)(Declaration &),
                      void (*kernel)(const Kernel &),
                      void (*reference)(const Reference &),
                      void (*knobs)(const Knobs &) = nullptr) {
  const KilnTikTable *table = request->table;
  if (request->size < sizeof(KilnTikRequest) ||
      table->size < sizeof(KilnTikTable)) {
    return KILN_TIK_TABLE_TOO_SHORT;
  }
  if (declare == nullptr ||
      (reference == nullptr && request->verb == KILN_TIK_REFERENCE)) {
    table->mistake(table->self, 535,
                   declare == nullptr ? "there is no function declare()"
                                      : "there is no function reference()",
                   nullptr);
    return KILN_TIK_DONE;
  }
  try {
    switch (request->verb) {
    case KILN_TIK_DECLARE: {
      Declaration declaration(table);
      if (kernel == nullptr) {
        table->declareNoKernel(table->self);
      }
      declare(declaration);
      return KILN_TIK_DONE;
    }
    case KILN_TIK_BUILD:
      if (kernel == nullptr) {
        return KILN_TIK_UNKNOWN_VERB;
      }
      kernel(Kernel(table));
      return KILN_TIK_DONE;
    case KILN_TIK_REFERENCE:
      reference(Reference(table));
      return KILN_TIK_DONE;
    case KILN_TIK_KNOBS:
      if (knobs != nullptr) {
        knobs(Knobs(table));
      }
      return KILN_TIK_DONE;
    default:
      return KILN_TIK_UNKNOWN_VERB;
    }
  } catch (const Stop &) {
    return KILN_TIK_DONE;
  } catch (const std::exception &e) {
    table->mistake(table->self, 504, e.what(), nullptr);
    return KILN_TIK_DONE;
  } catch (...) {
    table->mistake(table->self, 504, "no std::exception", nullptr);
    return KILN_TIK_DONE;
  }
}

} // namespace detail
} // namespace kiln::tik

/// KILN_OPERATOR(declare, kernel, reference) or, of a kernel with knobs
/// (knobs.h), KILN_OPERATOR(declare, kernel, reference, knobs).
#define KILN_OPERATOR(...)                                                     \
  extern "C" __attribute__((visibility("default"))) int32_t kilnTikOperator(   \
      const KilnTikRequest *request) {                                         \
    return ::kiln::tik::detail::answer(request, __VA_ARGS__);                  \
  }
