// SPDX-License-Identifier: Apache-2.0
//
// Run-time integers and conditions: constants, arithmetic, comparisons.
#include "tik_dsl/builder/kernel_builder.h"

using namespace mlir;

namespace kiln::tik {

KilnTikValue KernelBuilder::add(Value value, const Facts &facts,
                                bool isCondition, bool perBlock) {
  values_.push_back({value, isCondition, facts, scopes_.back().id, perBlock});
  return static_cast<KilnTikValue>(values_.size() - 1);
}

KilnTikValue KernelBuilder::constant(int64_t value) {
  values_.push_back({Value(), false, Facts::constant(value), 0});
  return static_cast<KilnTikValue>(values_.size() - 1);
}

bool KernelBuilder::isPerBlock(KilnTikValue handle) const {
  return handle < values_.size() && values_[handle].perBlock;
}

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder_, loc_, value);
}

Value KernelBuilder::indexOf(KilnTikValue handle) {
  const ValueEntry *entry = value(handle);
  if (entry == nullptr) {
    return {};
  }
  if (entry->isCondition) {
    mistake(Mistake::kConditionAsNumber,
            "a condition where a number is needed; use "
            "select()");
    return {};
  }
  return entry->value ? entry->value : index(entry->facts.low);
}

Value KernelBuilder::bitsOf(KilnTikValue handle, isa::ElementType type) {
  const ValueEntry *entry = value(handle);
  if (entry == nullptr || (entry->isCondition && !indexOf(handle))) {
    return {};
  }
  const int64_t mask = (int64_t{1} << (8 * isa::sizeOf(type))) - 1;
  if (!entry->value) {
    return arith::ConstantIntOp::create(builder_, loc_, entry->facts.low & mask,
                                        64);
  }
  Value bits = arith::IndexCastOp::create(builder_, loc_, builder_.getI64Type(),
                                          entry->value);
  return arith::AndIOp::create(
      builder_, loc_, bits,
      arith::ConstantIntOp::create(builder_, loc_, mask, 64));
}

Value KernelBuilder::wordOf(KilnTikValue handle) {
  const ValueEntry *entry = value(handle);
  if (entry == nullptr) {
    return {};
  }
  if (!entry->value) {
    return arith::ConstantIntOp::create(builder_, loc_, entry->facts.low, 64);
  }
  Type word = builder_.getI64Type();
  return entry->isCondition
             ? Value(arith::ExtUIOp::create(builder_, loc_, word, entry->value))
             : Value(arith::IndexCastOp::create(builder_, loc_, word,
                                                entry->value));
}

Value KernelBuilder::conditionOf(KilnTikValue handle) {
  const ValueEntry *entry = value(handle);
  if (entry == nullptr) {
    return {};
  }
  if (!entry->value) {
    return arith::ConstantIntOp::create(builder_, loc_, entry->facts.low != 0,
                                        1);
  }
  if (!entry->isCondition) {
    mistake(Mistake::kNotACondition, "a number where a condition is needed; "
                                     "compare it with something");
    return {};
  }
  return entry->value;
}

Facts KernelBuilder::factsOf(KilnTikValue handle) {
  return handle != 0 && handle < values_.size() ? values_[handle].facts
                                                : Facts();
}

namespace {

Facts combine(uint32_t op, const Facts &a, const Facts &b) {
  switch (op) {
  case KILN_TIK_ADD:
    return a + b;
  case KILN_TIK_SUB:
    return a - b;
  case KILN_TIK_MUL:
    return a * b;
  case KILN_TIK_DIV:
    return divide(a, b, false);
  case KILN_TIK_REM:
    return remainder(a, b);
  case KILN_TIK_MIN:
    return minimum(a, b);
  case KILN_TIK_MAX:
    return maximum(a, b);
  case KILN_TIK_CEIL_DIV:
    return divide(a, b, true);
  default:
    return {};
  }
}

/// The result for two constants, as the control core computes it: 64 bits,
/// wrapping. The divisor is not 0.
int64_t fold(uint32_t op, int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  switch (op) {
  case KILN_TIK_ADD:
    return static_cast<int64_t>(x + y);
  case KILN_TIK_SUB:
    return static_cast<int64_t>(x - y);
  case KILN_TIK_MUL:
    return static_cast<int64_t>(x * y);
  case KILN_TIK_DIV:
    return b == -1 ? static_cast<int64_t>(0 - x) : a / b;
  case KILN_TIK_REM:
    return b == -1 ? 0 : a % b;
  case KILN_TIK_MIN:
    return std::min(a, b);
  case KILN_TIK_MAX:
    return std::max(a, b);
  default: // ceilDiv, of values >= 0
    return static_cast<int64_t>((x + y - 1) / y);
  }
}

bool fold(arith::CmpIPredicate predicate, int64_t a, int64_t b) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  default:
    return a >= b;
  }
}

} // namespace

KilnTikValue KernelBuilder::arith(uint32_t op, KilnTikValue a, KilnTikValue b,
                                  const KilnTikLine *line) {
  at(line);
  call_ = "arithmetic";
  if (op == KILN_TIK_AND || op == KILN_TIK_OR) {
    Value x = conditionOf(a), y = conditionOf(b);
    if (!x || !y) {
      return 0;
    }
    Value both = op == KILN_TIK_AND
                     ? Value(arith::AndIOp::create(builder_, loc_, x, y))
                     : Value(arith::OrIOp::create(builder_, loc_, x, y));
    return add(both, Facts{0, 1, 1, false, false}, true,
               isPerBlock(a) || isPerBlock(b));
  }
  const ValueEntry *x = value(a), *y = value(b);
  if (x == nullptr || y == nullptr) {
    return 0;
  }
  const bool divides =
      op == KILN_TIK_DIV || op == KILN_TIK_REM || op == KILN_TIK_CEIL_DIV;
  if (divides && y->facts.isConstant() && y->facts.low == 0) {
    mistake(Mistake::kDivisionByZero, "division by the constant 0");
    return 0;
  }
  if (op > KILN_TIK_OR) {
    mistake(Mistake::kBadField, "unknown operation " + std::to_string(op));
    return 0;
  }
  if (!x->value && !y->value) {
    return constant(fold(op, x->facts.low, y->facts.low));
  }
  if (x->isCondition || y->isCondition) {
    mistake(Mistake::kConditionAsNumber,
            "arithmetic on a condition; use select()");
    return 0;
  }
  // Copies: emitting adds entries.
  return emitArith(op, ValueEntry(*x), ValueEntry(*y));
}

Value KernelBuilder::ceilDiv(Value a, Value b) {
  Value one = index(1);
  Value bias = builder_.createOrFold<arith::SubIOp>(loc_, b, one);
  Value sum = builder_.createOrFold<arith::AddIOp>(loc_, a, bias);
  return builder_.createOrFold<arith::DivUIOp>(loc_, sum, b);
}

KilnTikValue KernelBuilder::emitArith(uint32_t op, const ValueEntry &x,
                                      const ValueEntry &y) {
  const Facts facts = combine(op, x.facts, y.facts);
  Value result = arithValue(op, x, y);
  return add(result, facts, false, x.perBlock || y.perBlock);
}

Value KernelBuilder::arithValue(uint32_t op, const ValueEntry &x,
                                const ValueEntry &y) {
  const bool natural = x.facts.low >= 0 && y.facts.low >= 0;
  Value a = x.value ? x.value : index(x.facts.low);
  Value b = y.value ? y.value : index(y.facts.low);
  switch (op) {
  case KILN_TIK_ADD:
    return builder_.createOrFold<arith::AddIOp>(loc_, a, b);
  case KILN_TIK_SUB:
    return builder_.createOrFold<arith::SubIOp>(loc_, a, b);
  case KILN_TIK_MUL:
    return builder_.createOrFold<arith::MulIOp>(loc_, a, b);
  case KILN_TIK_DIV:
    return natural ? builder_.createOrFold<arith::DivUIOp>(loc_, a, b)
                   : builder_.createOrFold<arith::DivSIOp>(loc_, a, b);
  case KILN_TIK_REM:
    return natural ? builder_.createOrFold<arith::RemUIOp>(loc_, a, b)
                   : builder_.createOrFold<arith::RemSIOp>(loc_, a, b);
  case KILN_TIK_MIN:
    return builder_.createOrFold<arith::MinSIOp>(loc_, a, b);
  case KILN_TIK_MAX:
    return builder_.createOrFold<arith::MaxSIOp>(loc_, a, b);
  default: // KILN_TIK_CEIL_DIV
    return ceilDiv(a, b);
  }
}

KilnTikValue KernelBuilder::compare(uint32_t op, KilnTikValue a, KilnTikValue b,
                                    const KilnTikLine *line) {
  at(line);
  call_ = "comparison";
  constexpr arith::CmpIPredicate kPredicates[] = {
      arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,
      arith::CmpIPredicate::slt, arith::CmpIPredicate::sle,
      arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge};
  if (op >= std::size(kPredicates)) {
    mistake(Mistake::kBadField, "unknown comparison " + std::to_string(op));
    return 0;
  }
  const ValueEntry *x = value(a), *y = value(b);
  if (x == nullptr || y == nullptr) {
    return 0;
  }
  if (!x->value && !y->value) {
    return constant(fold(kPredicates[op], x->facts.low, y->facts.low));
  }
  Value left = indexOf(a), right = indexOf(b);
  if (!left || !right) {
    return 0;
  }
  return add(
      arith::CmpIOp::create(builder_, loc_, kPredicates[op], left, right),
      Facts{0, 1, 1, false, false}, true, isPerBlock(a) || isPerBlock(b));
}

KilnTikValue KernelBuilder::logicalNot(KilnTikValue a,
                                       const KilnTikLine *line) {
  at(line);
  call_ = "not";
  Value x = conditionOf(a);
  if (!x) {
    return 0;
  }
  Value one = arith::ConstantIntOp::create(builder_, loc_, 1, 1);
  return add(arith::XOrIOp::create(builder_, loc_, x, one),
             Facts{0, 1, 1, false, false}, true, isPerBlock(a));
}

KilnTikValue KernelBuilder::select(KilnTikValue condition, KilnTikValue a,
                                   KilnTikValue b, const KilnTikLine *line) {
  at(line);
  call_ = "select";
  Value c = conditionOf(condition), x = indexOf(a), y = indexOf(b);
  if (!c || !x || !y) {
    return 0;
  }
  return add(arith::SelectOp::create(builder_, loc_, c, x, y),
             either(factsOf(a), factsOf(b)), false,
             isPerBlock(condition) || isPerBlock(a) || isPerBlock(b));
}

KilnTikValue KernelBuilder::assumeMultiple(KilnTikValue handle, int64_t n,
                                           const KilnTikLine *line) {
  at(line);
  call_ = "assumeMultiple";
  const ValueEntry *entry = value(handle);
  if (entry == nullptr || !inRange("n", n, 1, Facts::kLimit)) {
    return 0;
  }
  if (!entry->value) {
    return handle; // its value says it all
  }
  ValueEntry multiple = *entry;
  const __int128 both =
      __int128{entry->facts.divisor} * n / std::gcd(entry->facts.divisor, n);
  multiple.facts.divisor =
      both > Facts::kLimit ? n : static_cast<int64_t>(both);
  values_.push_back(multiple);
  return static_cast<KilnTikValue>(values_.size() - 1);
}

} // namespace kiln::tik
