// SPDX-License-Identifier: Apache-2.0
//
// FIX: L0C to GM, UB and L1 with scale, activation and cast.
#include "isa/numerics/vector_kernels.h"
#include "isa/semantics/operand_checks.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

struct Fix {
  Space space;
  uint64_t dst;
  AccumulatorTile src;
  FixStrides strides;
  uint64_t m1; // cells between column groups of the tile
  FixMode mode;
  bool perChannel;
  uint64_t scales, slopes; // offsets in the bias table

  bool perSlope() const { return mode.activation == Activation::kPrelu; }

  uint64_t size() const { return sizeOf(mode.out); }
  uint64_t c0() const { return kBlockBytes / size(); }
  uint64_t address(uint64_t m, uint64_t n) const {
    return dst + n / c0() * strides.c1Stride + m * strides.mPitch +
           n % c0() * size();
  }
  uint64_t end() const {
    const uint64_t groups = (src.n + c0() - 1) / c0();
    return dst + (groups - 1) * strides.c1Stride +
           (src.m - 1) * uint64_t(strides.mPitch) +
           std::min<uint64_t>(src.n, c0()) * size();
  }
};

Fix decode(const Command &c, const PipeConfig &config) {
  const FixConfig0 word0 = FixConfig0::unpack(config.fix[0]);
  const FixConfig1 word1 = FixConfig1::unpack(config.fix[1]);
  const FixConfig2 word2 = FixConfig2::unpack(config.fix[2]);
  int zeroPoint = 0;
  if (word0.type == ElementType::I8) {
    zeroPoint = static_cast<int8_t>(word2.zeroPoint);
  } else if (word0.type == ElementType::U8) {
    zeroPoint = static_cast<int>(word2.zeroPoint);
  }
  return {.space = c.op == Opcode::kFixGm   ? Space::GM
                   : c.op == Opcode::kFixUb ? Space::UB
                                            : Space::L1,
          .dst = c.rs1,
          .src = AccumulatorTile::unpack(c.rs2),
          .strides = FixStrides::unpack(c.rs3),
          .m1 = word0.l0cM1,
          .mode = {.accumulator = static_cast<ElementType>(c.f3),
                   .out = word0.type,
                   .activation = word0.activation,
                   .scaled = word1.scale != 0,
                   .scale = word1.scale,
                   .zeroPoint = zeroPoint,
                   .parameter = word1.parameter},
          .perChannel = word2.perChannel != 0,
          .scales = word2.scales,
          .slopes = word2.slopes};
}

/// The words of activations that are not in use must be 0.
MaybeFault checkActivation(const Fix &fix) {
  const bool takesParameter = fix.mode.activation == Activation::kLeaky ||
                              fix.mode.activation == Activation::kClip;
  if ((fix.mode.parameter != 0 && !takesParameter) ||
      (fix.slopes != 0 && !fix.perSlope())) {
    return makeFault(FaultKind::kIllegalOperand,
                     "activation {} with FIX[1].parameter {:#x} and "
                     "FIX[2].slopes {:#x}; leaky and clip take a parameter, "
                     "prelu slopes",
                     static_cast<unsigned>(fix.mode.activation),
                     fix.mode.parameter, fix.slopes);
  }
  return std::nullopt;
}

MaybeFault checkMode(const Fix &fix) {
  const FixMode &mode = fix.mode;
  if (mode.out == ElementType::I32 &&
      (mode.accumulator != ElementType::I32 || mode.scaled || fix.perChannel ||
       mode.activation != Activation::kNone)) {
    return makeFault(FaultKind::kIllegalOperand,
                     "output type i32 needs an i32 accumulator with scale and "
                     "activation off; accumulator {}, scale {}, activation {}",
                     name(mode.accumulator), mode.scaled || fix.perChannel,
                     static_cast<unsigned>(mode.activation));
  }
  if (fix.perChannel && mode.scaled) {
    return makeFault(FaultKind::kIllegalOperand,
                     "FIX[1] is {:#x} and FIX[2] asks for scales per channel; "
                     "expected one of them to be 0",
                     mode.scale);
  }
  for (const auto &[offset, used] : {std::pair{fix.scales, fix.perChannel},
                                     std::pair{fix.slopes, fix.perSlope()}}) {
    if (used && offset % 4 != 0) {
      return makeFault(FaultKind::kMisaligned,
                       "offset {:#x} of the scales or slopes is not a multiple "
                       "of 4",
                       offset);
    }
  }
  return checkActivation(fix);
}

MaybeFault checkStrides(const Fix &fix) {
  const uint64_t size = fix.size();
  if (fix.dst % size != 0 || fix.strides.c1Stride % size != 0 ||
      fix.strides.mPitch % size != 0) {
    return makeFault(FaultKind::kMisaligned,
                     "dst {:#x}, c1_stride {} and m_pitch {} must be multiples "
                     "of the {} bytes of {}",
                     fix.dst, fix.strides.c1Stride, fix.strides.mPitch, size,
                     name(fix.mode.out));
  }
  const uint64_t m1 = (fix.src.m + kCellRows - 1) / kCellRows;
  if (fix.src.n > kCellRows && fix.m1 < m1) {
    return makeFault(FaultKind::kIllegalOperand,
                     "l0c_m1 is {}; {} rows need at least {} cells between "
                     "column groups",
                     fix.m1, fix.src.m, m1);
  }
  return std::nullopt;
}

void addTarget(const Fix &fix, Footprint &out) {
  const uint64_t m = fix.src.m, n = fix.src.n;
  StridedRange r{.space = fix.space, .write = true, .base = fix.dst};
  r.count[0] = m;
  r.stride[0] = fix.strides.mPitch;
  if (fix.strides.c1Stride == kBlockBytes) { // rows of one run each
    r.bytes = n * fix.size();
    addRange(out, r);
    return;
  }
  r.bytes = kBlockBytes;
  r.count[1] = n / fix.c0();
  r.stride[1] = fix.strides.c1Stride;
  addRange(out, r);
  r.base = fix.address(0, n / fix.c0() * fix.c0());
  r.bytes = n % fix.c0() * fix.size();
  r.count[1] = 1;
  addRange(out, r);
}

/// Where the rows of a command go: a window of GM, or a local memory.
class Target {
public:
  Target(const Fix &fix, CoreMemory &memory)
      : local_(fix.space == Space::GM ? nullptr : memory[fix.space].data()) {
    if (local_ == nullptr) {
      gm_.emplace(*memory.gm, fix.dst, fix.end(), Access::kWrite);
    }
  }
  std::byte *at(uint64_t addr, uint64_t bytes) const {
    return local_ != nullptr ? local_ + addr : gm_->at(addr, bytes);
  }

private:
  std::byte *local_;
  std::optional<GmWindow> gm_;
};

constexpr uint64_t kChunkRows = 64;

/// Words of the bias table per column, repeated for every row of a chunk.
void loadColumns(const Fix &fix, CoreMemory &memory, uint64_t offset,
                 uint64_t columns, uint32_t *out) {
  std::memcpy(out, memory[Space::BT].data() + offset, 4 * columns);
  for (uint64_t r = 1; r < std::min<uint64_t>(kChunkRows, fix.src.m); ++r) {
    std::copy_n(out, kCellRows, out + r * kCellRows);
  }
}

/// Writes `rows` rows of `columns` finished elements (16 apart in `values`)
/// to their places, from element (m0, n0) on.
void scatter(const Fix &fix, const Target &target, const std::byte *values,
             uint64_t m0, uint64_t rows, uint64_t n0, uint64_t columns) {
  const uint64_t size = fix.size(), c0 = fix.c0();
  for (uint64_t r = 0; r < rows; ++r, values += kCellRows * size) {
    for (uint64_t i = 0; i < columns;) {
      const uint64_t n = n0 + i;
      const uint64_t run = std::min(columns - i, c0 - n % c0);
      std::memcpy(target.at(fix.address(m0 + r, n), run * size),
                  values + i * size, run * size);
      i += run;
    }
  }
}

} // namespace

MaybeFault describeFix(const Command &c, const PipeConfig &config,
                       Footprint &out) {
  const Fix fix = decode(c, config);
  if (fix.src.m == 0 || fix.src.n == 0) {
    return std::nullopt;
  }
  MaybeFault fault = checkMode(fix);
  if (!fault) {
    fault = checkStrides(fix);
  }
  if (fault) {
    return fault;
  }
  addAccumulators(out, false, fix.src.addr, fix.src.m, fix.src.n, fix.m1);
  if (fix.perChannel) {
    addRange(
        out,
        {.space = Space::BT, .base = fix.scales, .bytes = 4ull * fix.src.n});
  }
  if (fix.perSlope()) {
    addRange(
        out,
        {.space = Space::BT, .base = fix.slopes, .bytes = 4ull * fix.src.n});
  }
  addTarget(fix, out);
  return std::nullopt;
}

void runFix(const Command &c, const PipeConfig &config, CoreMemory &memory) {
  const Fix fix = decode(c, config);
  const Target target(fix, memory);
  const std::byte *l0c = memory[Space::L0C].data() + fix.src.addr;
  alignas(64) uint32_t accumulators[kChunkRows * kCellRows];
  alignas(64) uint32_t scales[kChunkRows * kCellRows] = {};
  alignas(64) uint32_t slopes[kChunkRows * kCellRows] = {};
  alignas(64) std::byte values[kChunkRows * kCellRows * 4];
  for (uint64_t n0 = 0; n0 < fix.src.n; n0 += kCellRows) {
    const uint64_t columns = std::min<uint64_t>(kCellRows, fix.src.n - n0);
    if (fix.perChannel) {
      loadColumns(fix, memory, fix.scales + 4 * n0, columns, scales);
    }
    if (fix.perSlope()) {
      loadColumns(fix, memory, fix.slopes + 4 * n0, columns, slopes);
    }
    // The cells of a column group follow one another: rows of 16 elements.
    const std::byte *column = l0c + kL0CCellBytes * fix.m1 * (n0 / kCellRows);
    for (uint64_t m0 = 0; m0 < fix.src.m; m0 += kChunkRows) {
      const uint64_t rows = std::min<uint64_t>(kChunkRows, fix.src.m - m0);
      std::memcpy(accumulators, column + 4 * kCellRows * m0,
                  4 * kCellRows * rows);
      numerics::fix(fix.mode, accumulators,
                    {.scales = fix.perChannel ? scales : nullptr,
                     .slopes = fix.perSlope() ? slopes : nullptr},
                    values, kCellRows * rows);
      scatter(fix, target, values, m0, rows, n0, columns);
    }
  }
}

} // namespace kiln::isa::semantics
