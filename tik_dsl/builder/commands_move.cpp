// SPDX-License-Identifier: Apache-2.0
//
// Commands of MTE2, MTE3 and MTE1.
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "isa/support/units.h"

using namespace mlir;

namespace kiln::tik {

namespace {

using isa::Space;
constexpr int64_t kCount16 = (1 << 16) - 1;
constexpr int64_t kCount20 = (1 << 20) - 1;
constexpr int64_t kUnsigned32 = (int64_t{1} << 32) - 1;
constexpr int64_t kBlock = isa::kBlockBytes;
constexpr int64_t kFractal = isa::kFractalBytes;

} // namespace

std::optional<KernelBuilder::GmRows>
KernelBuilder::gmRows(const KilnTikRows &rows) {
  GmRows result;
  result.rows = count("the number of rows", rows.rows, kCount16);
  result.rowBytes =
      count("the bytes of a row", rows.row_bytes, kCount20, Mistake::kRowBytes);
  result.stride = count("the distance of rows", rows.gm_stride, kUnsigned32,
                        Mistake::kGmStride);
  if (!result.rows || !result.rowBytes || !result.stride) {
    return std::nullopt;
  }
  result.perBlock = isPerBlock(rows.rows) || isPerBlock(rows.row_bytes);
  result.rowFacts = factsOf(rows.rows);
  result.byteFacts = factsOf(rows.row_bytes);
  const Facts more = result.rowFacts + Facts::constant(-1);
  result.extent = result.rowFacts.isConstant() && result.rowFacts.low == 1
                      ? result.byteFacts
                      : more * factsOf(rows.gm_stride) + result.byteFacts;
  if (result.rowFacts.low < 1 || result.byteFacts.low < 1) {
    result.extent.low = std::min<int64_t>(0, result.extent.low);
  }
  return result;
}

void KernelBuilder::load(const KilnTikView *dst, const KilnTikPlace *src,
                         const KilnTikRows *rows, uint32_t pad,
                         const KilnTikLine *line) {
  at(line);
  call_ = "load";
  const auto gm = gmRows(*rows);
  if (!gm || !strides("destination", *dst)) {
    return;
  }
  const auto to =
      operand(dst->place, {"destination",
                           {Space::UB, Space::L1},
                           kBlock,
                           viewExtent(*dst, gm->rowFacts, gm->byteFacts),
                           Use::kWrite});
  const auto from = operand(*src, {"source", {Space::GM}, 1, gm->extent});
  if (!to || !from || !sameType(*to, *from) ||
      !distinctRows("destination", *dst, gm->rowFacts, gm->byteFacts)) {
    return;
  }
  create<npu::LoadOp>(to->base, to->offset, from->base, from->offset, gm->rows,
                      gm->rowBytes, gm->stride, stridesOf(*dst), pad);
}

void KernelBuilder::loadNz(const KilnTikPlace *dst, int64_t colStride,
                           const KilnTikPlace *src, const KilnTikRows *rows,
                           uint32_t pad, const KilnTikLine *line) {
  at(line);
  call_ = "loadNz";
  const auto gm = gmRows(*rows);
  if (!gm) {
    return;
  }
  if (colStride == 0 && memory(dst->memory) != nullptr) {
    mistake(Mistake::kNotColumnBlocks,
            "the destination '" + memory(dst->memory)->name +
                "' is not made of column blocks; create it with l1Nz()");
    return;
  }
  if (!inRange("the distance of column blocks", colStride, 0, kCount16,
               Mistake::kStrideRange)) {
    return;
  }
  const Facts columns =
      divide(gm->byteFacts, Facts::constant(kBlock), /*up=*/true);
  const Facts extent =
      ((columns + Facts::constant(-1)) * Facts::constant(colStride) +
       gm->rowFacts) *
      Facts::constant(kBlock);
  const auto to = operand(*dst, {"destination",
                                 {Space::L1},
                                 kBlock,
                                 columns.low > 0 ? extent : Facts::atLeast(0),
                                 Use::kWrite});
  const auto from = operand(*src, {"source", {Space::GM}, 1, gm->extent});
  if (!to || !from || !sameType(*to, *from)) {
    return;
  }
  create<npu::LoadNzOp>(to->base, to->offset, from->base, from->offset,
                        gm->rows, gm->rowBytes, gm->stride, colStride, pad);
}

void KernelBuilder::store(const KilnTikPlace *dst, const KilnTikView *src,
                          const KilnTikRows *rows, const KilnTikLine *line) {
  at(line);
  call_ = "store";
  const auto gm = gmRows(*rows);
  if (!gm || !strides("source", *src)) {
    return;
  }
  const MemoryEntry *entry = memory(dst->memory);
  if (entry == nullptr) {
    return;
  }
  const auto mode = static_cast<npu::StoreMode>(accumulation());
  const bool plain = mode == npu::StoreMode::store;
  const auto to = operand(*dst, {"destination",
                                 {Space::GM},
                                 plain ? 1 : isa::sizeOf(entry->type),
                                 gm->extent,
                                 plain ? Use::kWrite : Use::kAccumulate});
  const auto from =
      operand(src->place, {"source",
                           {Space::UB},
                           kBlock,
                           viewExtent(*src, gm->rowFacts, gm->byteFacts)});
  if (!to || !from || !sameType(*to, *from) || !mayWrite(*to, gm->perBlock)) {
    return;
  }
  create<npu::StoreOp>(to->base, to->offset, from->base, from->offset, gm->rows,
                       gm->rowBytes, gm->stride, stridesOf(*src), mode);
  orderDependent_ |= mode == npu::StoreMode::add && blockCount_ > 1 &&
                     entry->type >= isa::ElementType::F16;
  memories_[dst->memory].writers |= 1u
                                    << static_cast<unsigned>(isa::Pipe::MTE3);
}

void KernelBuilder::moveL1(const KilnTikView *dst, const KilnTikView *src,
                           const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  call_ = "moveToL1";
  Value rows = count("the number of rows", tile->rows, kCount16);
  Value blocks = count("the blocks of a row", tile->cols, kCount16);
  if (!rows || !blocks || !strides("destination", *dst) ||
      !strides("source", *src)) {
    return;
  }
  const Facts bytes = factsOf(tile->cols) * Facts::constant(kBlock);
  const Facts rowFacts = factsOf(tile->rows);
  const auto to = operand(dst->place, {"destination",
                                       {Space::L1},
                                       kBlock,
                                       viewExtent(*dst, rowFacts, bytes),
                                       Use::kWrite});
  const auto from = operand(
      src->place,
      {"source", {Space::UB}, kBlock, viewExtent(*src, rowFacts, bytes)});
  if (!to || !from || !sameType(*to, *from) ||
      !distinctRows("destination", *dst, rowFacts, bytes)) {
    return;
  }
  create<npu::MoveL1Op>(to->base, to->offset, from->base, from->offset, rows,
                        blocks, stridesOf(*dst), stridesOf(*src));
}

void KernelBuilder::loadL0(const KilnTikPlace *dst, const KilnTikPlace *src,
                           const KilnTikFractals *f, const KilnTikLine *line) {
  at(line);
  call_ = "load to L0";
  const auto number = Mistake::kFractalCount;
  Value outer = count("the outer fractals", f->outer, kCount16, number);
  Value inner = count("the inner fractals", f->inner, kCount16, number);
  if (!outer || !inner ||
      !inRange("the outer stride", f->outer_stride, 0, kCount20, number) ||
      !inRange("the inner stride", f->inner_stride, 0, kCount20, number)) {
    return;
  }
  const Facts o = factsOf(f->outer), i = factsOf(f->inner);
  const Facts one = Facts::constant(1), minus = Facts::constant(-1);
  const Facts last = (o + minus) * Facts::constant(f->outer_stride) +
                     (i + minus) * Facts::constant(f->inner_stride);
  const bool some = o.low > 0 && i.low > 0;
  const Facts read = (last + one) * Facts::constant(kFractal);
  const auto to = operand(*dst, {"destination",
                                 {Space::L0A, Space::L0B},
                                 kFractal,
                                 o * i * Facts::constant(kFractal),
                                 Use::kWrite});
  const auto from = operand(
      *src, {"source", {Space::L1}, kBlock, some ? read : Facts::atLeast(0)});
  if (!to || !from || !sameType(*to, *from)) {
    return;
  }
  if (f->transpose && isa::sizeOf(to->memory->type) != 2) {
    mistake(Mistake::kTransposeType,
            "'" + to->memory->name + "' is " +
                std::string(isa::name(to->memory->type)) +
                "; fractals are transposed for 16-bit types only");
    return;
  }
  create<npu::LoadL0Op>(to->base, to->offset, from->base, from->offset, outer,
                        inner, f->outer_stride, f->inner_stride,
                        f->transpose != 0);
}

void KernelBuilder::loadIm2col(const KilnTikPlace *dst, const KilnTikPlace *src,
                               const KilnTikIm2col *p,
                               const KilnTikLine *line) {
  const KilnTikIm2colBatch one = {*p, 1, 0, 0, 0};
  loadIm2colBatch(dst, src, &one, line);
}

void KernelBuilder::loadIm2colBatch(const KilnTikPlace *dst,
                                    const KilnTikPlace *src,
                                    const KilnTikIm2colBatch *batch,
                                    const KilnTikLine *line) {
  const KilnTikIm2col *p = &batch->image;
  at(line);
  call_ = "im2col";
  const auto number = Mistake::kConvolution;
  Value mStart = count("m_start", p->m_start, kCount20, number);
  Value mCount = count("m_count", p->m_count, kCount16, number);
  Value kStart = count("k1_start", p->k1_start, kCount20, number);
  Value kCount = count("k1_count", p->k1_count, kCount16, number);
  Value height = count("height", p->height, kCount16, number);
  Value padTop = count("pad_top", p->pad_top, 255, number);
  if (!mStart || !mCount || !kStart || !kCount || !height || !padTop ||
      !inRange("width", p->width, 1, kCount16, number) ||
      !inRange("out_width", p->out_width, 1, kCount16, number) ||
      !inRange("pad_left", p->pad_left, 0, 255, number) ||
      !inRange("c1", p->c1, 1, kCount16, number) ||
      !inRange("c1_stride", p->c1_stride, 0, (1 << 24) - 1, number) ||
      !inRange("pad", p->pad, 0, kCount16, number) ||
      !inRange("images", batch->images, 1, kCount16, number) ||
      !inRange("image_stride", batch->image_stride, 0, (1 << 24) - 1, number) ||
      !inRange("out_height", batch->out_height, batch->images > 1 ? 1 : 0,
               kCount16, number)) {
    return;
  }
  for (int i = 0; i < 2; ++i) {
    if (!inRange("kernel", p->kernel[i], 1, 255, number) ||
        !inRange("stride", p->stride[i], 1, 255, number) ||
        !inRange("dilation", p->dilation[i], 1, 255, number)) {
      return;
    }
  }
  const Facts tall = divide(factsOf(p->m_count), Facts::constant(16), true);
  const auto to =
      operand(*dst, {"destination",
                     {Space::L0A},
                     kFractal,
                     tall * factsOf(p->k1_count) * Facts::constant(kFractal),
                     Use::kWrite});
  const auto from = operand(*src, {"source", {Space::L1}, kBlock});
  if (!to || !from || !sameType(*to, *from) ||
      !inRange("c_valid_last", p->c_valid_last, 1,
               batch->c04 ? 4 : kBlock / isa::sizeOf(to->memory->type),
               number)) {
    return;
  }
  create<npu::LoadIm2colOp>(
      to->base, to->offset, from->base, from->offset, mStart, mCount, kStart,
      kCount, height, padTop, /*channels=*/Value(), p->width, p->out_width,
      p->pad_left, ArrayRef<int64_t>(p->kernel), ArrayRef<int64_t>(p->stride),
      ArrayRef<int64_t>(p->dilation), p->c1, p->c1_stride, p->c_valid_last,
      p->pad, batch->images, batch->image_stride, batch->out_height,
      batch->c04 != 0);
}

void KernelBuilder::loadBias(const KilnTikPlace *dst, const KilnTikPlace *src,
                             KilnTikValue bytes, const KilnTikLine *line) {
  at(line);
  call_ = "loadBias";
  Value amount = count("the number of bytes", bytes, kCount16);
  if (!amount) {
    return;
  }
  const Facts facts = factsOf(bytes);
  const auto to =
      operand(*dst, {"destination", {Space::BT}, kBlock, facts, Use::kWrite});
  const auto from = operand(*src, {"source", {Space::L1}, kBlock, facts});
  if (!to || !from || !sameType(*to, *from)) {
    return;
  }
  create<npu::LoadBiasOp>(to->base, to->offset, from->base, from->offset,
                          amount);
}

} // namespace kiln::tik
