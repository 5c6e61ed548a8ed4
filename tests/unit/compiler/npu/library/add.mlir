#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  plan.func @main(%arg0: tensor<64x1000xf16> {plan.name = "input_0"}, %arg1: tensor<64x1000xf16> {plan.name = "input_1"}) -> (tensor<64x1000xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @add(%arg0, %arg1) : (tensor<64x1000xf16>, tensor<64x1000xf16>) -> tensor<64x1000xf16>
    plan.return %0 : tensor<64x1000xf16>
  }
  func.func private @add(%arg0: tensor<64x1000xf16>, %arg1: tensor<64x1000xf16>) -> tensor<64x1000xf16> attributes {plan.dispatch} {
    %0 = tensor.empty() : tensor<64x1000xf16>
    %1 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %arg1 : tensor<64x1000xf16>, tensor<64x1000xf16>) outs(%0 : tensor<64x1000xf16>) {
    ^bb0(%in: f16, %in_0: f16, %out: f16):
      %2 = arith.extf %in : f16 to f32
      %3 = arith.extf %in_0 : f16 to f32
      %4 = arith.addf %2, %3 : f32
      %5 = arith.truncf %4 : f32 to f16
      linalg.yield %5 : f16
    } -> tensor<64x1000xf16>
    return %1 : tensor<64x1000xf16>
  }
}
