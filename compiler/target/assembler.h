// SPDX-License-Identifier: Apache-2.0
//
// Assembly text of the control core -> object file, in process (LLVM MC).
//
//   Result<ObjectBytes> o = assemble(".globl kernel\nkernel: ret\n", "k.s");
//
// The dialect is GNU as for rv64im_zba_zbb_zicsr; NPU instructions are macros
// with the mnemonics of the manual (`prelude`, generated from isa/spec). Line
// tables are written, so that faults and profiles name the source line.
// Errors are kCorrupt with origin, line, column and the parser's message, all
// of a text in one run.
#pragma once

#include "compiler/target/lld_link.h"
#include "isa/support/status.h"

#include <string_view>

namespace kiln::target {

/// `origin` is the file name in messages and line tables.
Result<ObjectBytes> assemble(std::string_view text, std::string_view origin,
                             std::string_view prelude = {});

} // namespace kiln::target
