// SPDX-License-Identifier: Apache-2.0
//
// Commands of M and FIX.
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "isa/support/units.h"

#include <cmath>

using namespace mlir;

namespace kiln::tik {

namespace {

using isa::ElementType;
using isa::Space;
constexpr int64_t kCount12 = (1 << 12) - 1;
constexpr int64_t kCount16 = (1 << 16) - 1;
constexpr int64_t kCount20 = (1 << 20) - 1;
constexpr int64_t kUnsigned32 = (int64_t{1} << 32) - 1;

bool isByte(ElementType type) {
  return type == ElementType::I8 || type == ElementType::U8;
}

Facts tiles(const Facts &n, int64_t unit) {
  return divide(n, Facts::constant(unit), /*up=*/true);
}

} // namespace

bool KernelBuilder::cubeTypes(const CheckedOperand &acc,
                              const CheckedOperand &a,
                              const CheckedOperand &b) {
  const ElementType x = a.memory->type, y = b.memory->type,
                    c = acc.memory->type;
  const bool bytes = isByte(x) && isByte(y) && c == ElementType::I32;
  const bool floats = x == y && c == ElementType::F32 &&
                      (x == ElementType::F16 || x == ElementType::BF16 ||
                       x == ElementType::F32);
  if (bytes || floats) {
    return true;
  }
  mistake(Mistake::kCubeTypes,
          "A is " + std::string(isa::name(x)) + ", B is " +
              std::string(isa::name(y)) + ", the accumulator is " +
              std::string(isa::name(c)) +
              "; possible are f16, bf16 or f32 twice with f32, and 8-bit "
              "integers with i32");
  return false;
}

void KernelBuilder::mmad(const KilnTikMmad *p, const KilnTikLine *line) {
  at(line);
  call_ = "mmad";
  Value m = count("m", p->m, kCount12, Mistake::kMmadSize),
        n = count("n", p->n, kCount12, Mistake::kMmadSize),
        k = count("k", p->k, kCount16, Mistake::kMmadSize);
  const MemoryEntry *aEntry = memory(p->a.memory);
  if (!m || !n || !k || aEntry == nullptr) {
    return;
  }
  const int64_t c0 = isa::c0(aEntry->type);
  const Facts m1 = tiles(factsOf(p->m), 16), n1 = tiles(factsOf(p->n), 16),
              k1 = tiles(factsOf(p->k), c0);
  const Facts fractal = Facts::constant(isa::kFractalBytes);
  const auto a = operand(
      p->a, {"operand A", {Space::L0A}, isa::kFractalBytes, m1 * k1 * fractal});
  const auto b = operand(
      p->b, {"operand B", {Space::L0B}, isa::kFractalBytes, k1 * n1 * fractal});
  const auto acc =
      operand(p->acc, {"accumulator",
                       {Space::L0C},
                       isa::kL0CCellBytes,
                       m1 * n1 * Facts::constant(isa::kL0CCellBytes),
                       Use::kWrite});
  if (!a || !b || !acc || !cubeTypes(*acc, *a, *b)) {
    return;
  }
  Value bias, biasOffset;
  if (p->bias.memory != 0) {
    const auto table = operand(p->bias, {"bias",
                                         {Space::BT},
                                         isa::kBlockBytes,
                                         factsOf(p->n) * Facts::constant(4)});
    if (!table) {
      return;
    }
    if (table->memory->type != acc->memory->type) {
      mistake(Mistake::kBiasType,
              "the bias '" + table->memory->name + "' is " +
                  std::string(isa::name(table->memory->type)) +
                  ", the accumulator is " +
                  std::string(isa::name(acc->memory->type)));
      return;
    }
    bias = table->base;
    biasOffset = table->offset;
  }
  Value mode = index(bias ? 2 : 0);
  if (p->accumulate != 0) {
    Value more = conditionOf(p->accumulate);
    if (!more) {
      return;
    }
    mode = builder_.createOrFold<arith::SelectOp>(loc_, more, index(1), mode);
  }
  create<npu::MmadOp>(acc->base, acc->offset, a->base, a->offset, b->base,
                      b->offset, bias, biasOffset, m, n, k, mode);
}

void KernelBuilder::fix(const KilnTikFix *fix, const KilnTikLine *line) {
  const KilnTikFixColumns columns = {
      *fix, {}, {}, fix->relu ? KILN_TIK_RELU : KILN_TIK_NONE, 0, 0};
  fixColumns(&columns, line);
}

/// A number per column, in the bias table.
std::optional<CheckedOperand>
KernelBuilder::columnTable(const char *role, const KilnTikPlace &place,
                           KilnTikValue n) {
  const auto table =
      operand(place, {role, {Space::BT}, 4, factsOf(n) * Facts::constant(4)});
  if (table && table->memory->type != ElementType::F32) {
    mistake(Mistake::kColumnType,
            "the " + std::string(role) + " '" + table->memory->name + "' are " +
                std::string(isa::name(table->memory->type)) +
                "; FIX takes f32");
    return std::nullopt;
  }
  return table;
}

/// Whether scale, activation and zero point go together.
bool KernelBuilder::epilogue(const KilnTikFixColumns &p, ElementType out) {
  if (!inRange("the activation", p.activation, 0, KILN_TIK_PRELU)) {
    return false;
  }
  const bool parameter =
      p.activation == KILN_TIK_LEAKY || p.activation == KILN_TIK_CLIP;
  const char *wrong =
      p.fix.has_scale && p.scales.memory != 0
          ? "one scale and a scale per column"
      : (p.activation == KILN_TIK_PRELU) != (p.slopes.memory != 0)
          ? "slopes go with prelu and prelu with slopes"
      : !parameter && p.parameter != 0 ? "a parameter goes with leaky and clip"
                                       : nullptr;
  if (wrong != nullptr) {
    mistake(Mistake::kEpilogue, wrong);
    return false;
  }
  if (p.fix.has_scale && !std::isfinite(p.fix.scale)) {
    mistake(Mistake::kFixScale, "the scale is not a finite number");
    return false;
  }
  if (p.zero_point != 0 && !isByte(out)) {
    mistake(Mistake::kZeroPoint, "a zero point, and the destination is " +
                                     std::string(isa::name(out)) +
                                     "; only 8-bit types have one");
    return false;
  }
  const bool isUnsigned = out == ElementType::U8;
  return inRange("the zero point", p.zero_point, isUnsigned ? 0 : -128,
                 isUnsigned ? 255 : 127, Mistake::kZeroPoint);
}

void KernelBuilder::fixColumns(const KilnTikFixColumns *whole,
                               const KilnTikLine *line) {
  const KilnTikFix *p = &whole->fix;
  at(line);
  call_ = "fix";
  Value m = count("m", p->m, kCount20), n = count("n", p->n, kCount20),
        m1 = count("m1", p->m1, kCount16),
        c1Stride = count("the distance of column blocks", p->c1_stride,
                         kUnsigned32, Mistake::kGmStride),
        pitch = count("the distance of rows", p->m_pitch, kUnsigned32,
                      Mistake::kGmStride);
  const MemoryEntry *entry = memory(p->dst.memory);
  if (!m || !n || !m1 || !c1Stride || !pitch || entry == nullptr) {
    return;
  }
  const int64_t size = isa::sizeOf(entry->type), c0 = isa::c0(entry->type);
  const Facts minus = Facts::constant(-1);
  const Facts columns = factsOf(p->n), rows = factsOf(p->m);
  const bool rowMajor =
      factsOf(p->c1_stride).isConstant() && factsOf(p->c1_stride).low == 32;
  Facts extent = rowMajor
                     ? columns * Facts::constant(size)
                     : (tiles(columns, c0) + minus) * factsOf(p->c1_stride);
  extent = extent + (rows + minus) * factsOf(p->m_pitch);
  const auto dst = operand(
      p->dst,
      {"destination",
       {Space::GM, Space::UB, Space::L1},
       entry->space == Space::GM ? 1 : static_cast<int64_t>(isa::kBlockBytes),
       rows.low > 0 && columns.low > 0 ? extent : Facts::atLeast(0),
       Use::kWrite});
  const auto src = operand(p->src, {"accumulator",
                                    {Space::L0C},
                                    isa::kL0CCellBytes,
                                    tiles(rows, 16) * tiles(columns, 16) *
                                        Facts::constant(isa::kL0CCellBytes)});
  const bool perBlock = isPerBlock(p->m) || isPerBlock(p->n);
  if (!dst || !src || !mayWrite(*dst, perBlock)) {
    return;
  }
  if (dst->memory->space == Space::GM && accumulation_ != 0) {
    mistake(Mistake::kFixAccumulates,
            "fix() overwrites '" + dst->memory->name +
                "'; in an accumulate() scope only store() writes to global "
                "memory");
    return;
  }
  if (!epilogue(*whole, entry->type)) {
    return;
  }
  std::optional<CheckedOperand> scales = CheckedOperand(),
                                slopes = CheckedOperand();
  if (whole->scales.memory != 0) {
    scales = columnTable("scales", whole->scales, p->n);
  }
  if (whole->slopes.memory != 0) {
    slopes = columnTable("slopes", whole->slopes, p->n);
  }
  if (!scales || !slopes) {
    return;
  }
  const bool parameter =
      whole->activation == KILN_TIK_LEAKY || whole->activation == KILN_TIK_CLIP;
  create<npu::FixOp>(
      dst->base, dst->offset, src->base, src->offset, m, n, m1, c1Stride, pitch,
      scales->base, scales->offset, slopes->base, slopes->offset,
      static_cast<npu::ActivationKind>(whole->activation),
      p->has_scale ? builder_.getF32FloatAttr(p->scale) : FloatAttr(),
      parameter ? builder_.getF32FloatAttr(whole->parameter) : FloatAttr(),
      whole->zero_point);
  memories_[p->dst.memory].writers |= 1u
                                      << static_cast<unsigned>(isa::Pipe::FIX);
}

} // namespace kiln::tik
