#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module {
  plan.func @main(%arg0: tensor<1x64x28x28xf16> {plan.name = "input_0"}) -> (tensor<1x128x28x28xf16> {plan.name = "output_0"}) {
    %0 = plan.const @c0 : tensor<128x64x1x1xf16>
    %1 = plan.dispatch @conv(%arg0, %0) : (tensor<1x64x28x28xf16>, tensor<128x64x1x1xf16>) -> tensor<1x128x28x28xf16>
    plan.return %1 : tensor<1x128x28x28xf16>
  }
  func.func private @conv(%arg0: tensor<1x64x28x28xf16>, %arg1: tensor<128x64x1x1xf16>) -> tensor<1x128x28x28xf16> attributes {plan.dispatch} {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<1x128x28x28xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<1x128x28x28xf32>) -> tensor<1x128x28x28xf32>
    %2 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%arg0, %arg1 : tensor<1x64x28x28xf16>, tensor<128x64x1x1xf16>) outs(%1 : tensor<1x128x28x28xf32>) -> tensor<1x128x28x28xf32>
    %3 = tensor.empty() : tensor<1x128x28x28xf16>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%2 : tensor<1x128x28x28xf32>) outs(%3 : tensor<1x128x28x28xf16>) {
    ^bb0(%in: f32, %out: f16):
      %5 = arith.truncf %in : f32 to f16
      linalg.yield %5 : f16
    } -> tensor<1x128x28x28xf16>
    return %4 : tensor<1x128x28x28xf16>
  }
}
