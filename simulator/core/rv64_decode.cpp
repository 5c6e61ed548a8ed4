// SPDX-License-Identifier: Apache-2.0
//
// Words to records. One function per major opcode; each leaves the record
// kIllegal when the word is no instruction.
#include "isa/codec/instruction.h"
#include "simulator/core/program.h"

#include <cstring>

namespace kiln::sim {

namespace {

struct Fields {
  uint32_t word;
  uint32_t opcode() const { return word & 0x7f; }
  uint8_t rd() const { return (word >> 7) & 31; }
  uint32_t f3() const { return (word >> 12) & 7; }
  uint8_t rs1() const { return (word >> 15) & 31; }
  uint8_t rs2() const { return (word >> 20) & 31; }
  uint32_t f7() const { return word >> 25; }
  int32_t immI() const { return static_cast<int32_t>(word) >> 20; }
  int32_t immU() const { return static_cast<int32_t>(word & 0xffff'f000); }
  int32_t immS() const {
    return (static_cast<int32_t>(word & 0xfe00'0000) >> 20) |
           static_cast<int32_t>((word >> 7) & 31);
  }
  int32_t immB() const {
    return (static_cast<int32_t>(word & 0x8000'0000) >> 19) |
           static_cast<int32_t>(((word << 4) & 0x800) | ((word >> 20) & 0x7e0) |
                                ((word >> 7) & 0x1e));
  }
  int32_t immJ() const {
    return (static_cast<int32_t>(word & 0x8000'0000) >> 11) |
           static_cast<int32_t>((word & 0xf'f000) | ((word >> 9) & 0x800) |
                                ((word >> 20) & 0x7fe));
  }
};

struct Pattern {
  uint32_t f7;
  uint32_t f3;
  RvOp op;
};

constexpr Pattern kRegisterOps[] = {
    {0x00, 0, RvOp::kAdd},    {0x20, 0, RvOp::kSub},
    {0x00, 1, RvOp::kSll},    {0x00, 2, RvOp::kSlt},
    {0x00, 3, RvOp::kSltu},   {0x00, 4, RvOp::kXor},
    {0x00, 5, RvOp::kSrl},    {0x20, 5, RvOp::kSra},
    {0x00, 6, RvOp::kOr},     {0x00, 7, RvOp::kAnd},
    {0x01, 0, RvOp::kMul},    {0x01, 1, RvOp::kMulh},
    {0x01, 2, RvOp::kMulhsu}, {0x01, 3, RvOp::kMulhu},
    {0x01, 4, RvOp::kDiv},    {0x01, 5, RvOp::kDivu},
    {0x01, 6, RvOp::kRem},    {0x01, 7, RvOp::kRemu},
    {0x10, 2, RvOp::kSh1add}, {0x10, 4, RvOp::kSh2add},
    {0x10, 6, RvOp::kSh3add}, {0x20, 7, RvOp::kAndn},
    {0x20, 6, RvOp::kOrn},    {0x20, 4, RvOp::kXnor},
    {0x05, 6, RvOp::kMax},    {0x05, 7, RvOp::kMaxu},
    {0x05, 4, RvOp::kMin},    {0x05, 5, RvOp::kMinu},
    {0x30, 1, RvOp::kRol},    {0x30, 5, RvOp::kRor}};

constexpr Pattern kRegisterWordOps[] = {
    {0x00, 0, RvOp::kAddw},     {0x20, 0, RvOp::kSubw},
    {0x00, 1, RvOp::kSllw},     {0x00, 5, RvOp::kSrlw},
    {0x20, 5, RvOp::kSraw},     {0x01, 0, RvOp::kMulw},
    {0x01, 4, RvOp::kDivw},     {0x01, 5, RvOp::kDivuw},
    {0x01, 6, RvOp::kRemw},     {0x01, 7, RvOp::kRemuw},
    {0x04, 0, RvOp::kAddUw},    {0x10, 2, RvOp::kSh1addUw},
    {0x10, 4, RvOp::kSh2addUw}, {0x10, 6, RvOp::kSh3addUw},
    {0x30, 1, RvOp::kRolw},     {0x30, 5, RvOp::kRorw}};

// Immediate shifts and single-operand forms: `f7` holds instruction[31:20]
// where the shift amount is part of the encoding.
constexpr Pattern kUnaryOps[] = {
    {0x600, 1, RvOp::kClz},   {0x601, 1, RvOp::kCtz},   {0x602, 1, RvOp::kCpop},
    {0x604, 1, RvOp::kSextB}, {0x605, 1, RvOp::kSextH}, {0x287, 5, RvOp::kOrcB},
    {0x6b8, 5, RvOp::kRev8}};
constexpr Pattern kUnaryWordOps[] = {
    {0x600, 1, RvOp::kClzw}, {0x601, 1, RvOp::kCtzw}, {0x602, 1, RvOp::kCpopw}};

template <size_t N>
RvOp match(const Pattern (&table)[N], uint32_t f7, uint32_t f3) {
  for (const Pattern &p : table) {
    if (p.f7 == f7 && p.f3 == f3) {
      return p.op;
    }
  }
  return RvOp::kIllegal;
}

RvRecord decodeImmediate(Fields w) {
  RvRecord r{RvOp::kIllegal, w.rd(), w.rs1(), 0, w.immI()};
  constexpr RvOp kPlain[8] = {RvOp::kAddi,  RvOp::kIllegal, RvOp::kSlti,
                              RvOp::kSltiu, RvOp::kXori,    RvOp::kIllegal,
                              RvOp::kOri,   RvOp::kAndi};
  r.op = kPlain[w.f3()];
  if (w.f3() != 1 && w.f3() != 5) {
    return r;
  }
  r.op = match(kUnaryOps, w.word >> 20, w.f3());
  if (r.op != RvOp::kIllegal) {
    return r;
  }
  r.imm &= 63;
  uint32_t f6 = w.word >> 26;
  if (w.f3() == 1 && f6 == 0) {
    r.op = RvOp::kSlli;
  } else if (w.f3() == 5) {
    r.op = f6 == 0x00   ? RvOp::kSrli
           : f6 == 0x10 ? RvOp::kSrai
           : f6 == 0x18 ? RvOp::kRori
                        : RvOp::kIllegal;
  }
  return r;
}

RvRecord decodeImmediateWord(Fields w) {
  RvRecord r{RvOp::kIllegal, w.rd(), w.rs1(), 0, w.immI()};
  if (w.f3() == 0) {
    r.op = RvOp::kAddiw;
    return r;
  }
  r.op = match(kUnaryWordOps, w.word >> 20, w.f3());
  if (r.op != RvOp::kIllegal) {
    return r;
  }
  if (w.f3() == 1 && w.word >> 26 == 0x02) {
    r.op = RvOp::kSlliUw;
    r.imm &= 63;
    return r;
  }
  r.imm &= 31;
  if (w.f3() == 1 && w.f7() == 0) {
    r.op = RvOp::kSlliw;
  } else if (w.f3() == 5) {
    r.op = w.f7() == 0x00   ? RvOp::kSrliw
           : w.f7() == 0x20 ? RvOp::kSraiw
           : w.f7() == 0x30 ? RvOp::kRoriw
                            : RvOp::kIllegal;
  }
  return r;
}

RvRecord decodeRegister(Fields w, bool wordOp) {
  RvRecord r{RvOp::kIllegal, w.rd(), w.rs1(), w.rs2(), 0};
  r.op = wordOp ? match(kRegisterWordOps, w.f7(), w.f3())
                : match(kRegisterOps, w.f7(), w.f3());
  if (wordOp && w.f7() == 0x04 && w.f3() == 4 && w.rs2() == 0) {
    r.op = RvOp::kZextH;
  }
  return r;
}

RvRecord decodeLoad(Fields w) {
  constexpr RvOp kOps[8] = {RvOp::kLb,  RvOp::kLh,  RvOp::kLw,  RvOp::kLd,
                            RvOp::kLbu, RvOp::kLhu, RvOp::kLwu, RvOp::kIllegal};
  return {kOps[w.f3()], w.rd(), w.rs1(), 0, w.immI()};
}

RvRecord decodeStore(Fields w) {
  constexpr RvOp kOps[4] = {RvOp::kSb, RvOp::kSh, RvOp::kSw, RvOp::kSd};
  RvOp op = w.f3() < 4 ? kOps[w.f3()] : RvOp::kIllegal;
  return {op, 0, w.rs1(), w.rs2(), w.immS()};
}

RvRecord decodeBranch(Fields w) {
  constexpr RvOp kOps[8] = {RvOp::kBeq,     RvOp::kBne, RvOp::kIllegal,
                            RvOp::kIllegal, RvOp::kBlt, RvOp::kBge,
                            RvOp::kBltu,    RvOp::kBgeu};
  return {kOps[w.f3()], 0, w.rs1(), w.rs2(), w.immB()};
}

RvRecord decodeSystem(Fields w) {
  if (w.f3() == 0) {
    return {w.word == 0x73        ? RvOp::kEcall
            : w.word == 0x10'0073 ? RvOp::kEbreak
                                  : RvOp::kIllegal,
            0, 0, 0, 0};
  }
  // The CSRs are read only: csrrs and csrrc of x0 (or immediate 0) read.
  bool reads = (w.f3() & 3) >= 2 && w.rs1() == 0;
  return {reads ? RvOp::kCsr : RvOp::kIllegal, w.rd(), 0, 0,
          static_cast<int32_t>(w.word >> 20)};
}

RvRecord decodeWord(Fields w) {
  switch (w.opcode()) {
  case 0x37:
    return {RvOp::kLi, w.rd(), 0, 0, w.immU()};
  case 0x17:
    return {RvOp::kAuipc, w.rd(), 0, 0, w.immU()};
  case 0x6f:
    return {RvOp::kJal, w.rd(), 0, 0, w.immJ()};
  case 0x67:
    return {w.f3() == 0 ? RvOp::kJalr : RvOp::kIllegal, w.rd(), w.rs1(), 0,
            w.immI()};
  case 0x63:
    return decodeBranch(w);
  case 0x03:
    return decodeLoad(w);
  case 0x23:
    return decodeStore(w);
  case 0x13:
    return decodeImmediate(w);
  case 0x1b:
    return decodeImmediateWord(w);
  case 0x33:
    return decodeRegister(w, false);
  case 0x3b:
    return decodeRegister(w, true);
  case 0x0f:
    return {w.f3() <= 1 ? RvOp::kFence : RvOp::kIllegal, 0, 0, 0, 0};
  case 0x73:
    return decodeSystem(w);
  default:
    return {};
  }
}

bool isJump(RvOp op) {
  return op == RvOp::kJal || (op >= RvOp::kBeq && op <= RvOp::kBgeu);
}

} // namespace

RvCode RvCode::decode(uint64_t base, std::span<const uint8_t> bytes) {
  RvCode code;
  code.base = base;
  code.words.resize(bytes.size() / 4);
  std::memcpy(code.words.data(), bytes.data(), 4 * code.words.size());
  auto badFetch = [&](uint64_t target) {
    RvRecord r{RvOp::kBadFetch, kSinkRegister, 0, 0,
               static_cast<int32_t>(code.badTargets.size())};
    code.badTargets.push_back(target);
    return r;
  };
  std::vector<RvRecord> outside = {badFetch(base + 4 * code.words.size())};
  for (size_t i = 0; i < code.words.size(); ++i) {
    RvRecord r = decodeWord({code.words[i]});
    if (auto npu = isa::decodeFast(code.words[i])) {
      r = {RvOp::kNpu, npu->rs3, npu->rs1, npu->rs2,
           static_cast<int32_t>(code.commands.size())};
      code.commands.push_back(
          isa::makeCommand(*npu, code.words[i], 0, 0, 0, base + 4 * i));
    } else if (isJump(r.op)) {
      int64_t target = static_cast<int64_t>(4 * i) + r.imm;
      bool inside = target >= 0 && target % 4 == 0 &&
                    target / 4 < static_cast<int64_t>(code.words.size());
      r.imm =
          inside ? r.imm / 4
                 : static_cast<int32_t>(code.words.size() - i + outside.size());
      if (!inside) {
        outside.push_back(badFetch(base + static_cast<uint64_t>(target)));
      }
    }
    if (r.op == RvOp::kIllegal) {
      r = {};
    }
    if (r.op != RvOp::kNpu && r.rd == 0) {
      r.rd = kSinkRegister;
    }
    code.records.push_back(r);
  }
  code.records.insert(code.records.end(), outside.begin(), outside.end());
  return code;
}

} // namespace kiln::sim
