#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  plan.func @main(%arg0: tensor<64x1000xf16> {plan.name = "input_0"}) -> (tensor<64x1000xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @relu(%arg0) : (tensor<64x1000xf16>) -> tensor<64x1000xf16>
    plan.return %0 : tensor<64x1000xf16>
  }
  func.func private @relu(%arg0: tensor<64x1000xf16>) -> tensor<64x1000xf16> attributes {plan.dispatch} {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<64x1000xf16>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<64x1000xf16>) outs(%0 : tensor<64x1000xf16>) {
    ^bb0(%in: f16, %out: f16):
      %2 = arith.extf %in : f16 to f32
      %3 = arith.maximumf %2, %cst : f32
      %4 = arith.truncf %3 : f32 to f16
      linalg.yield %4 : f16
    } -> tensor<64x1000xf16>
    return %1 : tensor<64x1000xf16>
  }
}
