# SPDX-License-Identifier: Apache-2.0
"""One worked example per instruction: for the manual, and as C++ for a test
that decodes, prints and runs every one of them (examples.h)."""
from emit_cpp import HEAD

# Values of layout fields; a list holds one per operand position.
VALUES = {
    "LocalView": {"addr": [0x4000, 0x0, 0x2000], "row_stride": 8,
                  "blk_stride": 1, "count": [4, 64, 0]},
    "GmAddress": {"addr": 0x100000000},
    "LocalAddress": {"addr": [0, 0x400, 0]},
    "LoadGeometry": {"row_bytes": 256, "gm_stride": 512},
    "StoreGeometry": {"row_bytes": 128, "gm_stride": 512},
    "RowBlocks": {"blocks": 4},
    "FractalTarget": {"outer": 2, "inner": 2},
    "FractalSource": {"outer_stride": 2, "inner_stride": 1},
    "Im2colTarget": {"m_count": 16, "k1_count": 9},
    "ByteCount": {"bytes": 64},
    "AccumulatorTile": {"m": 16, "n": 16},
    "FixStrides": {"c1_stride": 512, "m_pitch": 32},
    "CubeShape": {"m": 16, "n": 16, "k": 16},
    "CastMode": {"type": 7},
    "Table": {"addr": 0x6000, "count": 32, "rows": 4},
    "Semaphore": {"id": 1, "block": 2},
    "OwnSemaphore": {"id": 1},
    "FlagId": {"id": 3},
    "ScalarAddress": {"addr": 0x80100100},
    "Value": {"value": 1},
}
# Where an instruction needs more room or another value.
OVERRIDES = {
    "st.ub": {"src": {"count": 4}},
    "st.l1": {"dst": {"addr": 0x1000}, "src": {"count": 0}},
    "vgatherb": {"src0": {"count": 8}},
    "vsort32": {"dst": {"row_stride": 16}},
    "vmerge": {"dst": {"row_stride": 32, "addr": 0x8000},
               "src0": {"row_stride": 16}, "src1": {"row_stride": 16,
                                                    "count": 64}},
    "vpair.k": {"src0": {"row_stride": 16}},
    "vpair.i": {"src0": {"row_stride": 16}},
    "vsel": {"src1": {"count": 0x300}},
    "vtr.in": {"dst": {"count": 16}},
    "vtr.out": {"dst": {"count": 16}},
}
# Configuration of the examples that read it: pipe, word, layout, fields.
CONFIG = [
    ("MTE1", 0, {"h": 4, "w": 4, "pad_top": 1, "pad_left": 1, "ow": 4}),
    ("MTE1", 1, {"kh": 3, "kw": 3, "sh": 1, "sw": 1, "dh": 1, "dw": 1,
                 "c_valid_last": 16}),
    ("MTE1", 2, {"c1_stride": 16, "c1": 1}),
    ("FIX", 0, {"type": 5, "activation": 1, "l0c_m1": 1}),
]


def pack(layout, values):
    return sum(values.get(f.name, 0) << f.lo for f in layout.fields)


def preferred(i):
    """The f3 of the example: f16 where it is a type."""
    if i.f3 is None:
        return 0
    values = i.f3_values(i.subs[-1])
    return 5 if i.f3.kind == "ElementType" and 5 in values else values[0]


def element(f3):
    """An element of the example's type: 1.0 in f16, else a small integer."""
    return 0x3C00 if f3 == 5 else 3


def operand_values(i, n, f3):
    """The fields of operand n, in the order of the layout."""
    o = i.rs[n]
    table = dict(VALUES.get(o.layout.name, {}))
    if o.layout.name in ("Scalar", "Sequence"):
        table = {f.name: element(f3) for f in o.layout.fields}
    table.update(OVERRIDES.get(i.mnemonic, {}).get(o.name, {}))
    out = {}
    for f in o.layout.fields:
        value = table.get(f.name, 0)
        if isinstance(value, list):
            value = value[n]
        out[f.name] = 0 if f.name in o.zero else value
    return out


def example(spec, i):
    """(f3, sub, [fields of each operand], word)"""
    f3, sub = preferred(i), i.subs[-1]
    operands = [operand_values(i, n, f3) for n, o in enumerate(i.rs) if o]
    registers = [10 + n if o else 0 for n, o in enumerate(i.rs)]
    word = (registers[2] << 27 | i.f2 << 25 | registers[1] << 20
            | registers[0] << 15 | f3 << 12 | sub << 7 | i.op)
    return f3, sub, operands, word


def number(field, value):
    return f"{value:#x}" if field.unit in ("byte", "bits") else str(value)


def describe(o, values):
    parts = [f"{o.rename.get(f.name, f.name)} {number(f, values[f.name])}"
             for f in o.layout.fields if f.name not in o.zero]
    return f"{o.name}: " + ", ".join(parts)


def spelled(spec, i, f3, sub):
    names = ", ".join(f"a{n}" for n, o in enumerate(i.rs) if o)
    return f"{spec.spelling(i, sub, f3)} {names}".rstrip()


def text(spec, i):
    """The example as assembly, for the manual."""
    f3, sub, operands, word = example(spec, i)
    lines = []
    for n, values in enumerate(operands):
        o = i.rs[n]
        lines.append(f"li a{n}, {pack(o.layout, values):#x} "
                     f"# {describe(o, values)}")
    lines.append(f"{spelled(spec, i, f3, sub)} # {word:#010x}")
    return "```\n" + "\n".join(lines) + "\n```\n\n"


def emit_examples(spec):
    out = HEAD + "// The examples of the manual.\n#pragma once\n\n"
    out += '#include "isa/gen/opcodes.h"\n\nnamespace kiln::isa {\n\n'
    out += "struct Example {\n  std::string_view text;\n  Opcode op;\n"
    out += "  uint32_t word;\n  uint64_t operand[3];\n};\n\n"
    out += "inline constexpr Example kExamples[] = {\n"
    for i in spec.instructions:
        f3, sub, operands, word = example(spec, i)
        values = [pack(i.rs[n].layout, v) for n, v in enumerate(operands)]
        values += [0] * (3 - len(values))
        out += (f'    {{"{spelled(spec, i, f3, sub)}", '
                f"Opcode::{i.enum_name}, {word:#010x},\n"
                "     {" + ", ".join(f"{v:#x}" for v in values) + "}},\n")
    out += "};\n\nstruct ExampleConfig {\n  Pipe pipe;\n  unsigned index;\n"
    out += "  uint64_t value;\n};\n\n"
    out += "inline constexpr ExampleConfig kExampleConfig[] = {\n"
    for pipe, index, fields in CONFIG:
        layout = spec.layouts[spec.config[pipe][index]]
        out += f"    {{Pipe::{pipe}, {index}, {pack(layout, fields):#x}}},\n"
    return out + "};\n\n} // namespace kiln::isa\n"
