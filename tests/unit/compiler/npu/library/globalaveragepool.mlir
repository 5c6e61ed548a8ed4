#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module {
  plan.func @main(%arg0: tensor<1x64x7x7xf16> {plan.name = "input_0"}) -> (tensor<1x64x1x1xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @globalaveragepool(%arg0) : (tensor<1x64x7x7xf16>) -> tensor<1x64x1x1xf16>
    plan.return %0 : tensor<1x64x1x1xf16>
  }
  func.func private @globalaveragepool(%arg0: tensor<1x64x7x7xf16>) -> tensor<1x64x1x1xf16> attributes {plan.dispatch} {
    %cst = arith.constant 0.0204081628 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<7x7xf16>
    %1 = tensor.empty() : tensor<1x64x1x1xf32>
    %2 = linalg.fill ins(%cst_0 : f32) outs(%1 : tensor<1x64x1x1xf32>) -> tensor<1x64x1x1xf32>
    %3 = linalg.pooling_nchw_sum {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%arg0, %0 : tensor<1x64x7x7xf16>, tensor<7x7xf16>) outs(%2 : tensor<1x64x1x1xf32>) -> tensor<1x64x1x1xf32>
    %4 = tensor.empty() : tensor<1x64x1x1xf16>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%3 : tensor<1x64x1x1xf32>) outs(%4 : tensor<1x64x1x1xf16>) {
    ^bb0(%in: f32, %out: f16):
      %6 = arith.mulf %in, %cst : f32
      %7 = arith.truncf %6 : f32 to f16
      linalg.yield %7 : f16
    } -> tensor<1x64x1x1xf16>
    return %5 : tensor<1x64x1x1xf16>
  }
}
