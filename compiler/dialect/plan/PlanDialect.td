// SPDX-License-Identifier: Apache-2.0
//
// The plan dialect: the host side of a compiled model. A plan.func is what
// the runtime executes for one call: dispatches over tensors, constants,
// free views and copies. First its values are tensors; plan-arena then gives
// every value a place (arena offset, model input or output, constant), and
// the package writer serialises one operation to one instruction.
//
//   plan.func @main(%image: tensor<1x3x8x8xf32> {plan.name = "image"})
//       -> (tensor<1x10xf32> {plan.name = "logits"}) {
//     %w = plan.const @c0 : tensor<10x192xf32>
//     %v = plan.slice %image[0] : tensor<1x3x8x8xf32> to tensor<1x192xf32>
//     %0 = plan.dispatch @fc(%v, %w)
//         : (tensor<1x192xf32>, tensor<10x192xf32>) -> tensor<1x10xf32>
//     plan.return %0 : tensor<1x10xf32>
//   }

#ifndef KILN_PLAN_DIALECT
#define KILN_PLAN_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::kiln::plan";
  let summary = "the host side of a compiled model";
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    /// Argument and result attribute of plan.func: the model's own name.
    static constexpr ::llvm::StringLiteral kNameAttr = "plan.name";
    /// Unit attribute of a func.func that a plan.dispatch may call.
    static constexpr ::llvm::StringLiteral kDispatchAttr = "plan.dispatch";
    /// Attribute of plan.func set by plan-arena: bytes of the arena.
    static constexpr ::llvm::StringLiteral kArenaBytesAttr = "plan.arena_bytes";
    /// Attribute of operations set by plan-arena: one place per result.
    static constexpr ::llvm::StringLiteral kPlacesAttr = "plan.places";
    /// Attribute of plan.dispatch set by plan-arena: the place of its scratch
    /// memory.
    static constexpr ::llvm::StringLiteral kWorkspaceAttr = "plan.workspace";
    /// Unit attribute of operations that come from the body of a custom operator, between
    /// nn-to-linalg and form-dispatches; then of the dispatch functions that hold one. They
    /// may be what no operation of nn becomes.
    static constexpr ::llvm::StringLiteral kInlinedAttr = "plan.inlined";
    /// Attribute of linalg operations between nn-to-linalg and
    /// form-dispatches: operations with equal values form one dispatch.
    static constexpr ::llvm::StringLiteral kGroupAttr = "plan.group";
    /// Attribute of plan.dispatch: #plan.macs, what its contraction computes.
    static constexpr ::llvm::StringLiteral kMacsAttr = "plan.macs";
    /// Attribute of plan.dispatch: #plan.result, which value of the model it
    /// gives.
    static constexpr ::llvm::StringLiteral kResultAttr = "plan.result";
  }];
}

//===- attributes ---------------------------------------------------------===//

def Plan_PlaceKind : I32EnumAttr<"PlaceKind", "which memory holds a value", [
    I32EnumAttrCase<"Arena", 0, "arena">, I32EnumAttrCase<"Input", 1, "input">,
    I32EnumAttrCase<"Output", 2, "output">,
    I32EnumAttrCase<"Constant", 3, "constant">]> {
  let cppNamespace = "::kiln::plan";
  let genSpecializedAttr = 0;
}

def Plan_PlaceAttr : AttrDef<Plan_Dialect, "Place"> {
  let mnemonic = "place";
  let summary = "where the bytes of a value lie";
  let description = [{
    `#plan.place<arena, 0, 4096>`: kind, index (of the input, output or
    constant; 0 for the arena) and offset in bytes.
  }];
  let parameters = (ins EnumParameter<Plan_PlaceKind>:$kind,
                        "int64_t":$index, "int64_t":$offset);
  let assemblyFormat = "`<` $kind `,` $index `,` $offset `>`";
}

def Plan_MacsAttr : AttrDef<Plan_Dialect, "Macs"> {
  let mnemonic = "macs";
  let summary = "multiply-accumulates of the mathematical operator";
  let description = [{
    `#plan.macs<118013952, f16>`: how many, and the element type of the
    factors. Counted before layouts, so that neither padded channels nor tails
    nor anything computed twice are in it.
  }];
  let parameters = (ins "int64_t":$count, "::mlir::Type":$type);
  let assemblyFormat = "`<` $count `,` $type `>`";
}

def Plan_ResultAttr : AttrDef<Plan_Dialect, "Result"> {
  let mnemonic = "result";
  let summary = "which value of the model a dispatch gives";
  let description = [{
    `#plan.result<7, tensor<1x64x56x56xf16>>`: the result of node 7 (from 1) in
    its logical shape. Targets keep it when they change the layout.
  }];
  let parameters = (ins "int64_t":$node, "::mlir::Type":$type);
  let assemblyFormat = "`<` $node `,` $type `>`";
}

def Plan_StepAttr : AttrDef<Plan_Dialect, "Step"> {
  let mnemonic = "step";
  let summary = "one step of a constant's recipe";
  let description = [{
    `#plan.step<"transpose", tensor<3x64xf32>, {permutation = array<i64: 1,
    0>}>`: what to do, the type afterwards, parameters. Steps run on raw bytes
    when the package is written; `compiler/target/const_recipe.h` lists the
    kinds.
  }];
  let parameters = (ins "::mlir::StringAttr":$kind,
                        "::mlir::RankedTensorType":$type,
                        "::mlir::DictionaryAttr":$params);
  let assemblyFormat = "`<` $kind `,` $type `,` $params `>`";
}

def Plan_StepArrayAttr : TypedArrayAttrBase<Plan_StepAttr, "recipe steps">;

//===- operations ---------------------------------------------------------===//

class Plan_Op<string mnemonic, list<Trait> traits = []>
    : Op<Plan_Dialect, mnemonic, traits>;

def Plan_FuncOp : Plan_Op<"func", [IsolatedFromAbove, AutomaticAllocationScope,
    FunctionOpInterface, SingleBlock]> {
  let summary = "one entry point of a model";
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
                                 "::mlir::FunctionType":$type)>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
    /// The model's name of argument or result `i`; "" when it has none.
    ::llvm::StringRef getArgName(unsigned i);
    ::llvm::StringRef getResultName(unsigned i);
  }];
}

def Plan_ReturnOp : Plan_Op<"return", [Pure, Terminator, HasParent<"FuncOp">]> {
  let summary = "the model's outputs";
  let arguments = (ins Variadic<AnyRankedTensor>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
  let hasVerifier = 1;
}

def Plan_ConstOp : Plan_Op<"const", [Pure]> {
  let summary = "a constant: blob in the ConstantStore plus recipe";
  let arguments = (ins FlatSymbolRefAttr:$symbol,
                       OptionalAttr<Plan_StepArrayAttr>:$recipe);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$symbol ($recipe^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Appends a step and gives the result its type. Users see the new type.
    void appendStep(::llvm::StringRef kind, ::mlir::RankedTensorType type,
                    ::llvm::ArrayRef<::mlir::NamedAttribute> params = {});
  }];
}

def Plan_DispatchOp : Plan_Op<"dispatch", [Pure,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a dispatch function over tensors";
  let arguments = (ins FlatSymbolRefAttr:$callee,
                       Variadic<AnyRankedTensor>:$operands);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $callee `(` $operands `)` attr-dict `:`
    functional-type($operands, $results)
  }];
}

def Plan_SliceOp : Plan_Op<"slice", [Pure]> {
  let summary = "a free view of consecutive elements";
  let description = [{
    The result is the row-major elements [offset, offset + count(result)) of
    the source, in the result's shape. Covers reshape (offset 0, equal count)
    and contiguous slices. No bytes move.
  }];
  let arguments = (ins AnyStaticShapeTensor:$source, I64Attr:$offset);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $source `[` $offset `]` attr-dict `:` type($source) `to` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// True when source and result hold the same elements.
    bool isReshape();
  }];
}

def Plan_ConcatOp : Plan_Op<"concat", [Pure]> {
  let summary = "operands written one behind the other in one buffer";
  let description = [{
    Row-major elements of the operands, one operand after the other. It costs
    nothing: plan-arena gives every operand its place inside the result, so
    each operand must come from a plan.dispatch or plan.copy and have no other
    concat as user. Made by plan-concat-in-place only.
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$operands);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $operands attr-dict `:` functional-type($operands, $result)
  }];
  let hasVerifier = 1;
}

def Plan_AllocOp : Plan_Op<"alloc"> {
  let summary = "an uninitialised buffer";
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Plan_CopyOp : Plan_Op<"copy", [Pure, AllTypesMatch<["source", "result"]>]> {
  let summary = "a copy of a tensor in memory of its own";
  let arguments = (ins AnyStaticShapeTensor:$source);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($result)";
}

#endif
