module {
  plan.func @main(%arg0: tensor<1x64x30x30xf16> {plan.name = "input_0"}) -> (tensor<1x64x14x14xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @maxpool(%arg0) : (tensor<1x64x30x30xf16>) -> tensor<1x64x14x14xf16>
    plan.return %0 : tensor<1x64x14x14xf16>
  }
  func.func private @maxpool(%arg0: tensor<1x64x30x30xf16>) -> tensor<1x64x14x14xf16> attributes {plan.dispatch} {
    %cst = arith.constant 0xFC00 : f16
    %0 = tensor.empty() : tensor<3x3xf16>
    %1 = tensor.empty() : tensor<1x64x14x14xf16>
    %2 = linalg.fill ins(%cst : f16) outs(%1 : tensor<1x64x14x14xf16>) -> tensor<1x64x14x14xf16>
    %3 = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>} ins(%arg0, %0 : tensor<1x64x30x30xf16>, tensor<3x3xf16>) outs(%2 : tensor<1x64x14x14xf16>) -> tensor<1x64x14x14xf16>
    return %3 : tensor<1x64x14x14xf16>
  }
}
