// SPDX-License-Identifier: Apache-2.0
//
// Assembly text of the control core -> object file, in process (LLVM MC).
//
//   Result<ObjectBytes> o = assemble(".globl kernel\n"
//                                    "kernel:\n"
//                                    "  ld.ub a1, a2, a3\n"
//                                    "  kset mte2, v, zero\n"
//                                    "  ret\n", "k.s");
//
// The dialect is GNU as for rv64im_zba_zbb_zicsr plus the NPU instructions of
// isa/spec by their mnemonics (macros made by isagen). Line tables are
// written, so that faults and profiles name the source line. Errors are
// kCorrupt with origin, line, column and the parser's message, all of a text
// in one run; a mistake in an NPU instruction is located at its line.
#pragma once

#include "compiler/target/lld_link.h"
#include "isa/support/status.h"

#include <string_view>

namespace kiln::target {

/// kNone: text that is no file of anybody, which a debugger would look for.
enum class LineTable { kWritten, kNone };

/// `origin` is the file name in messages and line tables; `prelude` is text
/// read before, usually more macros.
Result<ObjectBytes> assemble(std::string_view text, std::string_view origin,
                             std::string_view prelude = {},
                             LineTable lines = LineTable::kWritten);

} // namespace kiln::target
