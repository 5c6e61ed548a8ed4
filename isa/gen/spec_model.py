# SPDX-License-Identifier: Apache-2.0
"""The instruction tables of isa/spec as checked Python objects.

    spec = load("isa/spec")
    for i in spec.instructions: print(i.mnemonic, i.rs[0])

load() raises SpecError with file, entry and rule for every mistake it knows:
unknown keys, overlapping fields or encodings, names that do not exist.
"""
import os
from dataclasses import dataclass, field
from typing import Dict, List, Optional

import yaml

SPACES = ["GM", "L1", "L0A", "L0B", "L0C", "UB", "BT"]
PIPES = ["S", "MTE2", "MTE1", "M", "FIX", "V", "MTE3"]
CUSTOM_OPCODES = [0x0B, 0x2B, 0x5B, 0x7B]
REGISTERS = ["rs1", "rs2", "rs3"]


class SpecError(Exception):
    pass


def need(condition, where, message):
    if not condition:
        raise SpecError(f"{where}: {message}")


def only_keys(mapping, allowed, where):
    need(isinstance(mapping, dict), where, "expected a mapping")
    unknown = sorted(set(mapping) - set(allowed))
    need(not unknown, where, f"unknown key {unknown}")


@dataclass
class EnumSpec:
    name: str
    values: Dict[int, List[str]]  # value: [suffix, text]


@dataclass
class FieldSpec:
    name: str
    hi: int
    lo: int
    unit: str
    max: int
    enum: Optional[str]
    text: str

    @property
    def width(self):
        return self.hi - self.lo + 1

    @property
    def mask(self):
        return ((1 << self.width) - 1) << self.lo


@dataclass
class LayoutSpec:
    name: str
    text: str
    fields: List[FieldSpec]

    @property
    def mask(self):
        return sum(f.mask for f in self.fields)


@dataclass
class OperandSpec:
    name: str
    layout: LayoutSpec
    zero: List[str]
    rename: Dict[str, str]
    space: Optional[str]
    align: int  # bytes; 0 = the element's size

    @property
    def used_bits(self):
        return sum(f.mask for f in self.layout.fields
                   if f.name not in self.zero)


@dataclass
class F3Spec:
    name: str
    kind: str
    allowed: List[int]
    allowed_by_sub: Dict[int, List[int]]
    differs_from_sub: bool


@dataclass
class Instruction:
    """shape, result, reads_dst and work are for V: see templates.yaml."""
    mnemonic: str
    op: int
    f2: int
    subs: List[int]  # one value, or the legal ones of a pipe field
    sub_name: Optional[str]
    sub_enum: Optional[str]
    pipe: str  # a pipe, or "sub" / "f3"
    f3: Optional[F3Spec]
    rs: List[Optional[OperandSpec]]
    reads: List[str]
    writes: List[str]
    config: bool
    timing: str
    text: str
    shape: Optional[str]
    result: str
    reads_dst: bool
    rate_width: int
    accuracy: Dict[str, float]  # worst error in ULP by element type
    work: Optional[str]

    @property
    def enum_name(self):
        """ld.ub -> kLdUb"""
        return "k" + self.class_name

    @property
    def class_name(self):
        return "".join(p[:1].upper() + p[1:]
                       for p in self.mnemonic.split("."))

    def f3_values(self, sub):
        """Legal f3 values beside a legal sub value."""
        if self.f3 is None:
            return [0]
        if self.f3.allowed_by_sub:
            return self.f3.allowed_by_sub[sub]
        return [v for v in self.f3.allowed
                if not (self.f3.differs_from_sub and v == sub)]


@dataclass
class Spec:
    version: int
    format: Dict[str, List[int]]
    enums: Dict[str, EnumSpec]
    layouts: Dict[str, LayoutSpec]
    config: Dict[str, List[str]]
    timing_classes: Dict[str, str]  # name: its figures
    vector_shapes: Dict[str, str]
    instructions: List[Instruction] = field(default_factory=list)

    def spelling(self, i, sub, f3):
        """The mnemonic in assembly text: vadd.f16, kset.v.mte3, cp.l0a.t."""
        parts = [i.mnemonic]
        if i.sub_enum:
            parts.append(self.enums[i.sub_enum].values[sub][0])
        if i.f3:
            parts.append(self.enums[i.f3.kind].values[f3][0])
        return ".".join(p for p in parts if p)

    def spellings(self):
        """All (text, instruction, sub, f3), in table order."""
        return [(self.spelling(i, s, f), i, s, f) for i in self.instructions
                for s in i.subs for f in i.f3_values(s)]


def load_yaml(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return yaml.safe_load(f)


def parse_field(raw, where):
    only_keys(raw, ["name", "bits", "unit", "max", "enum", "text"], where)
    hi, lo = raw["bits"]
    need(63 >= hi >= lo >= 0, where, f"bits [{hi}, {lo}] out of order")
    all_ones = (1 << (hi - lo + 1)) - 1
    largest = raw.get("max", all_ones)
    need(0 < largest <= all_ones, where, f"max {largest} does not fit")
    return FieldSpec(raw["name"], hi, lo, raw["unit"], largest,
                     raw.get("enum"), " ".join(raw.get("text", "").split()))


def parse_layout(name, raw):
    where = f"layout {name}"
    only_keys(raw, ["text", "fields"], where)
    fields = [parse_field(f, f"{where}, {f.get('name')}")
              for f in raw["fields"]]
    seen = 0
    for f in fields:
        need(seen & f.mask == 0, where, f"field {f.name} overlaps another")
        seen |= f.mask
    return LayoutSpec(name, " ".join(raw["text"].split()), fields)


def parse_operand(raw, layouts, where):
    only_keys(raw, ["name", "layout", "zero", "rename", "space", "align"],
              where)
    need(raw["layout"] in layouts, where, f"no layout {raw['layout']}")
    layout = layouts[raw["layout"]]
    names = [f.name for f in layout.fields]
    for n in list(raw.get("zero", [])) + list(raw.get("rename", {})):
        need(n in names, where, f"layout {layout.name} has no field {n}")
    space = raw.get("space")
    need(space is None or space in SPACES, where, f"no space {space}")
    align = raw.get("align", 1)
    return OperandSpec(raw["name"], layout, raw.get("zero", []),
                       raw.get("rename", {}), space,
                       0 if align == "element" else align)


def parse_f3(raw, enums, where):
    if raw is None:
        return None
    only_keys(raw, ["name", "kind", "allowed", "allowed_by_sub",
                    "differs_from_sub"], where)
    need(raw["kind"] in enums, where, f"no enum {raw['kind']}")
    for v in raw["allowed"]:
        need(v in enums[raw["kind"]].values, where, f"f3 {v} has no name")
    return F3Spec(raw["name"], raw["kind"], raw["allowed"],
                  raw.get("allowed_by_sub", {}),
                  raw.get("differs_from_sub", False))


INSTRUCTION_KEYS = ["mnemonic", "encoding", "pipe", "f3", "rs1", "rs2", "rs3",
                    "reads", "writes", "config", "timing", "text", "shape",
                    "result", "reads_dst", "rate_width", "accuracy", "work"]
RESULTS = ["source", "f16", "bf16", "i32", "bits", "mode"]


def merged(base, over):
    """`over` on top of `base`; mappings merge key by key, null removes one."""
    out = dict(base)
    for key, value in over.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        else:
            out[key] = value
    return out


def expand(raw, templates, type_sets, where):
    """Resolves `like` and the short forms `sub` and `types`."""
    need(isinstance(raw, dict), where, "expected a mapping")
    raw = dict(raw)
    base = {}
    if "like" in raw:
        name = raw.pop("like")
        need(name in templates, where, f"no template {name}")
        base = templates[name]
    if "sub" in raw:
        raw["encoding"] = {"sub": raw.pop("sub")}
    if "types" in raw:
        types = raw.pop("types")
        if isinstance(types, str):
            need(types in type_sets, where, f"no type set {types}")
            types = type_sets[types]
        raw["f3"] = {"name": "type", "kind": "ElementType", "allowed": types}
    return merged(base, raw)


def check_meaning(raw, spec, where):
    """V instructions say what their operands are and what computes them."""
    if raw["pipe"] != "V":
        return
    need(raw.get("shape") in spec.vector_shapes, where,
         f"no vector shape {raw.get('shape')}")
    need(raw.get("result", "source") in RESULTS, where,
         f"no result type {raw.get('result')}")
    need(bool(raw.get("work")), where, "V instructions need `work`")
    need(set(raw.get("accuracy", {})) in (set(), {"f16", "bf16", "f32"}),
         where, "accuracy needs f16, bf16 and f32")


def parse_instruction(raw, spec, file):
    where = f"{file}, {raw.get('mnemonic')}"
    only_keys(raw, INSTRUCTION_KEYS, where)
    check_meaning(raw, spec, where)
    e = raw["encoding"]
    only_keys(e, ["op", "f2", "sub"], where)
    sub = e["sub"]
    pipe = raw["pipe"]
    need(pipe in PIPES + ["sub", "f3"], where, f"no pipe {pipe}")
    need(raw["timing"] in spec.timing_classes, where,
         f"no timing class {raw['timing']}")
    for s in raw["reads"] + raw["writes"]:
        need(s in SPACES, where, f"no space {s}")
    rs = [parse_operand(raw[r], spec.layouts, f"{where}, {r}")
          if r in raw else None for r in REGISTERS]
    need(rs == sorted(rs, key=lambda o: o is None), where,
         "registers are used from rs1 on, without a gap")
    variable = isinstance(sub, dict)
    return Instruction(
        raw["mnemonic"], e["op"], e["f2"],
        sub["allowed"] if variable else [sub],
        sub["name"] if variable else None, sub["enum"] if variable else None,
        pipe, parse_f3(raw.get("f3"), spec.enums, where), rs, raw["reads"],
        raw["writes"], raw.get("config", False), raw["timing"],
        " ".join(raw["text"].split()), raw.get("shape"),
        raw.get("result", "source"), raw.get("reads_dst", False),
        raw.get("rate_width", 0), raw.get("accuracy", {}), raw.get("work"))


def check_encodings(spec):
    owner = {}
    for i in spec.instructions:
        need(i.op in CUSTOM_OPCODES, i.mnemonic, f"opcode {i.op:#x}")
        need(0 <= i.f2 < 4, i.mnemonic, f"f2 {i.f2}")
        for s in i.subs:
            need(0 <= s < 32, i.mnemonic, f"sub {s}")
            key = (i.op, i.f2, s)
            need(key not in owner, i.mnemonic,
                 f"has the encoding of {owner.get(key)}")
            owner[key] = i.mnemonic
    texts = {}
    for text, i, _, _ in spec.spellings():
        need(text not in texts, i.mnemonic, f"'{text}' is ambiguous")
        texts[text] = i


def load(folder):
    raw = load_yaml(folder, "isa.yaml")
    only_keys(raw, ["version", "format", "spec_files", "enums", "layouts",
                    "config", "timing_classes", "type_sets", "vector_shapes"],
              "isa.yaml")
    enums = {n: EnumSpec(n, v) for n, v in raw["enums"].items()}
    layouts = {n: parse_layout(n, v) for n, v in raw["layouts"].items()}
    for l in layouts.values():
        for f in l.fields:
            need(f.enum is None or f.enum in enums, f"layout {l.name}",
                 f"no enum {f.enum}")
    spec = Spec(raw["version"], raw["format"], enums, layouts, raw["config"],
                raw["timing_classes"], raw["vector_shapes"])
    for words in spec.config.values():
        for w in words:
            need(w in layouts, "config", f"no layout {w}")
    templates = {}
    for name in raw["spec_files"]:
        content = load_yaml(folder, name)
        only_keys(content, ["templates", "instructions"], name)
        for t, body in content.get("templates", {}).items():
            need(t not in templates, name, f"template {t} exists")
            templates[t] = expand(body, templates, raw["type_sets"],
                                  f"{name}, template {t}")
        for i in content.get("instructions", []):
            where = f"{name}, {i.get('mnemonic')}"
            spec.instructions.append(parse_instruction(
                expand(i, templates, raw["type_sets"], where), spec, name))
    check_encodings(spec)
    return spec
