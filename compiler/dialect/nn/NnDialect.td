// SPDX-License-Identifier: Apache-2.0
//
// The nn dialect: a model as tensor operations with framework-neutral
// semantics. Differences between ONNX opsets end at the importer; here there
// is one meaning per operation. Layouts are N, C, spatial dimensions.
// Every operation infers its result shapes (ShapeOpInterface) and its
// verifier compares them with the declared types; `tensor<*xf32>` as a result
// type means "not inferred yet".

#ifndef KILN_NN_DIALECT
#define KILN_NN_DIALECT

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::kiln::nn";
  let summary = "a model as tensor operations";
}

def NN_ShapeOpInterface : OpInterface<"ShapeOpInterface"> {
  let cppNamespace = "::kiln::nn";
  let description = "Infers the types of all results from the operands.";
  let methods = [InterfaceMethod<
    "Appends one type per result, or emits an error that names what is wrong.",
    "::llvm::LogicalResult", "inferShapes",
    (ins "::llvm::SmallVectorImpl<::mlir::RankedTensorType> &":$types)>];
  let verify = [{ return ::kiln::nn::verifyShapes($_op); }];
}

//===- helpers ------------------------------------------------------------===//

class NN_Op<string mnemonic, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, !listconcat(traits,
        [Pure, DeclareOpInterfaceMethods<NN_ShapeOpInterface>])>;

class NN_UnaryOp<string mnemonic, string text> : NN_Op<mnemonic> {
  let summary = text;
  let arguments = (ins AnyTensor:$x);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type($x, $result)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferShapes(
        ::llvm::SmallVectorImpl<::mlir::RankedTensorType> &types) {
      return ::kiln::nn::inferUnary(*this, types);
    }
  }];
}

class NN_BinaryOp<string mnemonic, string text> : NN_Op<mnemonic> {
  let summary = text # ", with numpy broadcasting";
  let arguments = (ins AnyTensor:$lhs, AnyTensor:$rhs);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, $result)
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferShapes(
        ::llvm::SmallVectorImpl<::mlir::RankedTensorType> &types) {
      return ::kiln::nn::inferBroadcast(*this, types);
    }
  }];
}

//===- elementwise --------------------------------------------------------===//

def NN_ReluOp : NN_UnaryOp<"relu", "max(x, 0)">;
def NN_SigmoidOp : NN_UnaryOp<"sigmoid", "1 / (1 + exp(-x))">;
def NN_TanhOp : NN_UnaryOp<"tanh", "hyperbolic tangent">;
def NN_ExpOp : NN_UnaryOp<"exp", "e to the power x">;
def NN_SqrtOp : NN_UnaryOp<"sqrt", "square root">;
def NN_NegOp : NN_UnaryOp<"neg", "-x">;
def NN_LeakyReluOp : NN_UnaryOp<"leaky_relu", "x < 0 ? alpha * x : x"> {
  let arguments = (ins AnyTensor:$x, F32Attr:$alpha);
}
def NN_ClipOp : NN_UnaryOp<"clip", "min(max(x, low), high)"> {
  let arguments = (ins AnyTensor:$x, OptionalAttr<F32Attr>:$low,
                       OptionalAttr<F32Attr>:$high);
}
def NN_CastOp : NN_Op<"cast"> {
  let summary = "x in another element type, nearest even";
  let arguments = (ins AnyTensor:$x, TypeAttr:$to);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $x `to` $to attr-dict `:` functional-type($x, $result)
  }];
}

def NN_AddOp : NN_BinaryOp<"add", "a + b">;
def NN_SubOp : NN_BinaryOp<"sub", "a - b">;
def NN_MulOp : NN_BinaryOp<"mul", "a * b">;
def NN_DivOp : NN_BinaryOp<"div", "a / b">;
def NN_MaxOp : NN_BinaryOp<"max", "larger of a and b">;
def NN_MinOp : NN_BinaryOp<"min", "smaller of a and b">;

//===- convolution and pooling --------------------------------------------===//

def NN_ConvOp : NN_Op<"conv"> {
  let summary = "convolution over one or two spatial dimensions";
  let description = [{
    x [N, C, spatial...], w [F, C / group, kernel...], bias [F]. Padding is
    zeros; one entry per spatial dimension in every attribute.
  }];
  let arguments = (ins AnyTensor:$x, AnyTensor:$w, Optional<AnyTensor>:$bias,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads_begin,
      DenseI64ArrayAttr:$pads_end, DenseI64ArrayAttr:$dilations,
      I64Attr:$group);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $x `,` $w (`bias` $bias^)? attr-dict `:` functional-type(operands, $result)
  }];
}

class NN_PoolOp<string mnemonic> : NN_Op<mnemonic> {
  let results = (outs AnyTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type($x, $result)";
}

def NN_MaxPoolOp : NN_PoolOp<"max_pool"> {
  let summary = "maximum over windows; padding never wins";
  let arguments = (ins AnyTensor:$x, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads_begin,
      DenseI64ArrayAttr:$pads_end, DenseI64ArrayAttr:$dilations,
      BoolAttr:$ceil_mode);
}
def NN_AveragePoolOp : NN_PoolOp<"average_pool"> {
  let summary = "mean over windows";
  let description = [{
    Divides by the number of elements inside the image, with
    count_include_pad inside image and padding. What ceil_mode adds beyond the
    padding never counts.
  }];
  let arguments = (ins AnyTensor:$x, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads_begin,
      DenseI64ArrayAttr:$pads_end, DenseI64ArrayAttr:$dilations,
      BoolAttr:$ceil_mode, BoolAttr:$count_include_pad);
}
def NN_GlobalAveragePoolOp : NN_PoolOp<"global_average_pool"> {
  let summary = "mean over all spatial dimensions, which become 1";
  let arguments = (ins AnyTensor:$x);
}
def NN_GlobalMaxPoolOp : NN_PoolOp<"global_max_pool"> {
  let summary = "maximum over all spatial dimensions, which become 1";
  let arguments = (ins AnyTensor:$x);
}

def NN_BatchNormOp : NN_Op<"batch_norm"> {
  let summary = "scale * (x - mean) / sqrt(variance + epsilon) + bias";
  let description = "Inference form; the four parameters are [C].";
  let arguments = (ins AnyTensor:$x, AnyTensor:$scale, AnyTensor:$bias,
      AnyTensor:$mean, AnyTensor:$variance, F32Attr:$epsilon);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    operands attr-dict `:` functional-type(operands, $result)
  }];
}

//===- matrix products and softmax ----------------------------------------===//

def NN_MatmulOp : NN_Op<"matmul"> {
  let summary = "numpy matmul: batched, broadcast, 1-D operands allowed";
  let arguments = (ins AnyTensor:$lhs, AnyTensor:$rhs);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, $result)
  }];
}

def NN_GemmOp : NN_Op<"gemm"> {
  let summary = "alpha * op(a) * op(b) + beta * c";
  let description = [{
    op is the transpose where trans_a or trans_b is set; c broadcasts to
    [M, N].
  }];
  let arguments = (ins AnyTensor:$a, AnyTensor:$b, Optional<AnyTensor>:$c,
      F32Attr:$alpha, F32Attr:$beta, BoolAttr:$trans_a, BoolAttr:$trans_b);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $a `,` $b (`plus` $c^)? attr-dict `:` functional-type(operands, $result)
  }];
}

def NN_SoftmaxOp : NN_UnaryOp<"softmax", "softmax along one axis"> {
  let arguments = (ins AnyTensor:$x, I64Attr:$axis);
  let extraClassDefinition = [{}];
}

//===- data movement ------------------------------------------------------===//

def NN_ReshapeOp : NN_UnaryOp<"reshape", "the same elements, another shape"> {
  let arguments = (ins AnyTensor:$x, DenseI64ArrayAttr:$shape);
  let extraClassDefinition = [{}];
}
def NN_TransposeOp : NN_UnaryOp<"transpose",
    "result dimension i is x's dimension permutation[i]"> {
  let arguments = (ins AnyTensor:$x, DenseI64ArrayAttr:$permutation);
  let extraClassDefinition = [{}];
}
def NN_SliceOp : NN_UnaryOp<"slice",
    "`sizes` elements from `starts` with `steps` (>= 1) per dimension"> {
  let arguments = (ins AnyTensor:$x, DenseI64ArrayAttr:$starts,
      DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$steps);
  let extraClassDefinition = [{}];
}
def NN_PadOp : NN_UnaryOp<"pad", "x with `value` around it"> {
  let arguments = (ins AnyTensor:$x, DenseI64ArrayAttr:$pads_begin,
      DenseI64ArrayAttr:$pads_end, F32Attr:$value);
  let extraClassDefinition = [{}];
}
def NN_ConcatOp : NN_Op<"concat"> {
  let summary = "operands joined along one axis";
  let arguments = (ins Variadic<AnyTensor>:$xs, I64Attr:$axis);
  let results = (outs AnyTensor:$result);
  let assemblyFormat = [{
    $xs attr-dict `:` functional-type($xs, $result)
  }];
}

//===- operators of somebody else -----------------------------------------===//

def NN_CustomOp : NN_Op<"custom"> {
  let summary = "an operator that came with a body";
  let description = [{
    `body` is a function of this module with the attribute `nn.body`: linalg on
    static tensors, as LinalgBodyReader (compiler/frontend/body) makes it. The
    operation is lowered to the operations of its body.
  }];
  let arguments = (ins FlatSymbolRefAttr:$body, Variadic<AnyTensor>:$inputs);
  let results = (outs Variadic<AnyTensor>:$outputs);
  let assemblyFormat = [{
    $body `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)
  }];
}

#endif
