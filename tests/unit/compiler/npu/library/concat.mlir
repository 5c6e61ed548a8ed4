module {
  plan.func @main(%arg0: tensor<1x16x8x8xf16> {plan.name = "input_0"}, %arg1: tensor<1x20x8x8xf16> {plan.name = "input_1"}) -> (tensor<1x36x8x8xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @concat(%arg0, %arg1) : (tensor<1x16x8x8xf16>, tensor<1x20x8x8xf16>) -> tensor<1x36x8x8xf16>
    plan.return %0 : tensor<1x36x8x8xf16>
  }
  func.func private @concat(%arg0: tensor<1x16x8x8xf16>, %arg1: tensor<1x20x8x8xf16>) -> tensor<1x36x8x8xf16> attributes {plan.dispatch} {
    %concat = tensor.concat dim(1) %arg0, %arg1 : (tensor<1x16x8x8xf16>, tensor<1x20x8x8xf16>) -> tensor<1x36x8x8xf16>
    return %concat : tensor<1x36x8x8xf16>
  }
}
