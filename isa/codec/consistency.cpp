// SPDX-License-Identifier: Apache-2.0
//
// Holds the hand-written types against the instruction tables: a mismatch
// does not compile.
#include "isa/codec/command.h"
#include "isa/gen/opcodes.h"
#include "isa/gen/operands.h"

namespace kiln::isa {
namespace {

constexpr bool hasField(Layout layout, std::string_view name, unsigned hi,
                        unsigned lo) {
  for (const FieldInfo &f : fields(layout)) {
    if (f.name == name && f.hi == hi && f.lo == lo) {
      return true;
    }
  }
  return false;
}

static_assert(fields(Layout::kLocalView).size() == 4);
static_assert(hasField(Layout::kLocalView, "addr", 23, 0));
static_assert(hasField(Layout::kLocalView, "row_stride", 39, 24));
static_assert(hasField(Layout::kLocalView, "blk_stride", 47, 40));
static_assert(hasField(Layout::kLocalView, "count", 63, 48));
static_assert(LocalView{1, 2, 3, 4}.pack() == 0x0004'03'0002'000001u);
static_assert(LocalView::unpack(LocalView{1, 2, 3, 4}.pack()) ==
              LocalView{1, 2, 3, 4});

constexpr bool tableIsInEnumOrder() {
  return mnemonic(Opcode::kKcfg) == "kcfg" &&
         mnemonic(Opcode::kLdUb) == "ld.ub" &&
         mnemonic(Opcode::kMmad) == "mmad" &&
         mnemonic(Opcode::kVexpdH) == "vexpd.h" &&
         mnemonic(Opcode::kVtrOut) == "vtr.out";
}
static_assert(tableIsInEnumOrder());

} // namespace
} // namespace kiln::isa
