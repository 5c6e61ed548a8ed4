# SPDX-License-Identifier: Apache-2.0
"""isagen: from the tables in isa/spec to everything that follows from them.

    isagen.py SPEC_FOLDER OUTPUT_FOLDER [--list]

Writes a file only when its content changes. --list prints the names of the
files instead.
"""
import os
import sys

sys.dont_write_bytecode = True
import emit_asm  # noqa: E402
import emit_cpp  # noqa: E402
import emit_manual  # noqa: E402
import emit_td  # noqa: E402
import examples  # noqa: E402
import spec_model  # noqa: E402

OUTPUTS = {
    "opcodes.h": emit_cpp.emit_opcodes,
    "operands.h": emit_cpp.emit_operands,
    "tables.h": emit_cpp.emit_tables,
    "vector_meanings.h": emit_cpp.emit_meanings,
    "accuracy.h": emit_cpp.emit_accuracy,
    "vector_works.inc": emit_cpp.emit_works,
    "examples.h": examples.emit_examples,
    "NpuIsaOps.td": emit_td.emit_td,
    "NpuIsaOps.def": emit_td.emit_def,
    "npu_macros.inc": emit_asm.emit_macros,
    "asm_macros.h": emit_asm.emit_macros_header,
    "manual.md": emit_manual.emit_manual,
}


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main(arguments):
    if "--list" in arguments:
        print("\n".join(OUTPUTS))
        return 0
    folder, out = arguments
    try:
        spec = spec_model.load(folder)
    except spec_model.SpecError as e:
        print(f"isagen: {folder}: {e}", file=sys.stderr)
        return 1
    os.makedirs(out, exist_ok=True)
    for name, emit in OUTPUTS.items():
        write_if_changed(os.path.join(out, name), emit(spec))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
