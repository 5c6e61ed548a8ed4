// SPDX-License-Identifier: Apache-2.0
//
// The npu dialect: what a core's six pipes do. Shared by NpuCommands.td (the
// memref level, one op per instruction family) and NpuTensorOps.td (the tensor
// level that scheduling works on).
//
// # Operand convention of the memref level
//
// A command names each memory operand by three things and nothing else:
//   1. a base: the result of npu.alloc (local), or a memref argument of the
//      kernel function (GM). Never a view: no subview, no cast, no reshape;
//   2. a byte offset from that base: an SSA value of type index;
//   3. counts (rows, columns, m, n, k, bytes) as SSA values of type index, so
//      that tails need neither masks nor peeling, and geometry: GM strides and
//      pitches as index values in bytes, strides of local memory as attributes
//      in the unit of the instruction word (32-byte blocks, 512-byte fractals).
//
//   npu.load %x_ub[%c0], %x[%off] rows %c4 row_bytes %c256 gm_stride %c1024
//       {dst_strides = array<i64: 8, 1>} : memref<4x128xf16, 5>, memref<64x512xf16>
//
// Destinations come first, as in the instructions. Constants are plain
// arith.constant; packing folds them. Element types are those of the memrefs
// (signless integers are signed, ui8 and ui16 are the unsigned types).
//
// Memory spaces are integer attributes with the values of isa::Space:
// GM none, L1 1, L0A 2, L0B 3, L0C 4, UB 5, BT 6.
//
// Types of local buffers: UB and L1 buffers are plain row-major memrefs; the
// shape only gives the capacity and names it in messages. L0A [m, k], L0B
// [k, n] and L0C [m, n] are logical 2-D types in the fractal order of their
// space; their strides mean nothing. BT is 1-D.
//
// # Kernels
//
// A kernel is a func.func with the unit attribute npu.kernel. Its memref
// arguments are the bindings 0..n-1 of the argument block in order, its index
// and i64 arguments the constants in order; it returns nothing. Control flow is
// scf.for and scf.if. A core runs the function once per block of the launch;
// npu.block_index says which.
//
// # Multi-buffering
//
// npu.alloc stays in the loop whose iterations it serves. With depth = N every
// execution of the op hands out the next of N slots in turn, also across
// entries of that loop. npu-plan-local-memory gives addresses and carries the
// slot counter; nobody else sees a slot.
#ifndef KILN_COMPILER_DIALECT_NPU_NPUBASE_TD
#define KILN_COMPILER_DIALECT_NPU_NPUBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributes.td"

def NPU_Dialect : Dialect {
  let name = "npu";
  let cppNamespace = "::kiln::npu";
  let summary = "Commands of the pipes of an NPU core, and the tensor "
                "operations that become commands";
}

class NPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<NPU_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Enumerations; the values are those of the instruction fields.
//===----------------------------------------------------------------------===//

class NPU_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::kiln::npu";
}

/// Pipes, with the values of isa::Pipe.
def NPU_PipeAttr : NPU_Enum<"PipeKind", "pipe of a core", [
  I32EnumAttrCase<"S", 0>, I32EnumAttrCase<"MTE2", 1>,
  I32EnumAttrCase<"MTE1", 2>, I32EnumAttrCase<"M", 3>,
  I32EnumAttrCase<"FIX", 4>, I32EnumAttrCase<"V", 5>,
  I32EnumAttrCase<"MTE3", 6>]>;

def NPU_BinaryAttr : NPU_Enum<"BinaryKind", "two-source vector operation", [
  I32EnumAttrCase<"add", 0>, I32EnumAttrCase<"sub", 1>,
  I32EnumAttrCase<"mul", 2>, I32EnumAttrCase<"div", 3>,
  I32EnumAttrCase<"max", 4>, I32EnumAttrCase<"min", 5>,
  I32EnumAttrCase<"madd", 6>, I32EnumAttrCase<"expd", 7>,
  I32EnumAttrCase<"bit_and", 10>, I32EnumAttrCase<"bit_or", 11>,
  I32EnumAttrCase<"bit_xor", 12>, I32EnumAttrCase<"shl", 13>,
  I32EnumAttrCase<"shr", 14>, I32EnumAttrCase<"shru", 15>]>;

def NPU_ScalarAttr : NPU_Enum<"ScalarKind", "vector operation with a scalar", [
  I32EnumAttrCase<"adds", 0>, I32EnumAttrCase<"muls", 1>,
  I32EnumAttrCase<"maxs", 2>, I32EnumAttrCase<"mins", 3>,
  I32EnumAttrCase<"madds", 6>, I32EnumAttrCase<"ands", 10>,
  I32EnumAttrCase<"ors", 11>, I32EnumAttrCase<"xors", 12>,
  I32EnumAttrCase<"shls", 13>, I32EnumAttrCase<"shrs", 14>,
  I32EnumAttrCase<"shrus", 15>]>;

def NPU_UnaryAttr : NPU_Enum<"UnaryKind", "one-source vector operation", [
  I32EnumAttrCase<"mov", 0>, I32EnumAttrCase<"exp", 1>,
  I32EnumAttrCase<"rec", 2>, I32EnumAttrCase<"sqrt", 4>,
  I32EnumAttrCase<"tanh", 5>, I32EnumAttrCase<"bit_not", 6>,
  I32EnumAttrCase<"ln", 7>, I32EnumAttrCase<"rsqrt", 8>,
  I32EnumAttrCase<"erf", 9>, I32EnumAttrCase<"sin", 10>,
  I32EnumAttrCase<"cos", 11>]>;

/// Comparisons of floats: false with a NaN, but for ne.
def NPU_CompareAttr : NPU_Enum<"CompareKind", "vector comparison", [
  I32EnumAttrCase<"eq", 16>, I32EnumAttrCase<"ne", 17>,
  I32EnumAttrCase<"lt", 18>, I32EnumAttrCase<"le", 19>,
  I32EnumAttrCase<"gt", 20>, I32EnumAttrCase<"ge", 21>]>;

/// The half of a pair.
def NPU_PairAttr : NPU_Enum<"PairKind", "half of a pair", [
  I32EnumAttrCase<"keys", 12>, I32EnumAttrCase<"indices", 13>]>;

/// What a store does with what GM holds.
def NPU_StoreModeAttr : NPU_Enum<"StoreMode", "plain or atomic store", [
  I32EnumAttrCase<"store", 0>, I32EnumAttrCase<"add", 1>,
  I32EnumAttrCase<"max", 2>, I32EnumAttrCase<"min", 3>]>;

/// Rounding of vcast: to nearest even, toward zero, down, up, to nearest with
/// ties away from zero, ties up, to odd.
def NPU_RoundingAttr : NPU_Enum<"RoundingKind", "rounding of a cast", [
  I32EnumAttrCase<"rne", 0>, I32EnumAttrCase<"rtz", 1>,
  I32EnumAttrCase<"rdn", 2>, I32EnumAttrCase<"rup", 3>,
  I32EnumAttrCase<"rmm", 4>, I32EnumAttrCase<"rhu", 5>,
  I32EnumAttrCase<"rod", 6>]>;

/// Reductions: `_l` along each row (one element per row), `_r` over rows.
def NPU_ReduceAttr : NPU_Enum<"ReduceKind", "vector reduction", [
  I32EnumAttrCase<"sum_l", 0>, I32EnumAttrCase<"max_l", 1>,
  I32EnumAttrCase<"sum_r", 2>, I32EnumAttrCase<"max_r", 3>,
  I32EnumAttrCase<"min_l", 7>, I32EnumAttrCase<"argmax_l", 8>,
  I32EnumAttrCase<"argmin_l", 9>, I32EnumAttrCase<"min_r", 10>,
  I32EnumAttrCase<"argmax_r", 11>, I32EnumAttrCase<"argmin_r", 12>]>;

def NPU_TransposeAttr : NPU_Enum<"TransposeKind",
    "planar to C0-blocked (in) or back (out)", [
  I32EnumAttrCase<"in", 5>, I32EnumAttrCase<"out", 6>]>;

def NPU_ActivationAttr : NPU_Enum<"ActivationKind", "activation of FIX", [
  I32EnumAttrCase<"none", 0>, I32EnumAttrCase<"relu", 1>,
  I32EnumAttrCase<"leaky", 2>, I32EnumAttrCase<"clip", 3>,
  I32EnumAttrCase<"prelu", 4>]>;

#endif // KILN_COMPILER_DIALECT_NPU_NPUBASE_TD
