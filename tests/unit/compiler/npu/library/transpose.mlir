module {
  plan.func @main(%arg0: tensor<64x128xf16> {plan.name = "input_0"}) -> (tensor<128x64xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @transpose(%arg0) : (tensor<64x128xf16>) -> tensor<128x64xf16>
    plan.return %0 : tensor<128x64xf16>
  }
  func.func private @transpose(%arg0: tensor<64x128xf16>) -> tensor<128x64xf16> attributes {plan.dispatch} {
    %0 = tensor.empty() : tensor<128x64xf16>
    %transposed = linalg.transpose ins(%arg0 : tensor<64x128xf16>) outs(%0 : tensor<128x64xf16>) permutation = [1, 0] 
    return %transposed : tensor<128x64xf16>
  }
}
