#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0)>
module {
  plan.func @main(%arg0: tensor<32x1000xf16> {plan.name = "input_0"}) -> (tensor<32x1000xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @softmax(%arg0) : (tensor<32x1000xf16>) -> tensor<32x1000xf16>
    plan.return %0 : tensor<32x1000xf16>
  }
  func.func private @softmax(%arg0: tensor<32x1000xf16>) -> tensor<32x1000xf16> attributes {plan.dispatch} {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %0 = tensor.empty() : tensor<32xf32>
    %1 = linalg.fill ins(%cst_0 : f32) outs(%0 : tensor<32xf32>) -> tensor<32xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg0 : tensor<32x1000xf16>) outs(%1 : tensor<32xf32>) {
    ^bb0(%in: f16, %out: f32):
      %9 = arith.extf %in : f16 to f32
      %10 = arith.maximumf %9, %out : f32
      linalg.yield %10 : f32
    } -> tensor<32xf32>
    %3 = tensor.empty() : tensor<32x1000xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %2 : tensor<32x1000xf16>, tensor<32xf32>) outs(%3 : tensor<32x1000xf32>) {
    ^bb0(%in: f16, %in_1: f32, %out: f32):
      %9 = arith.extf %in : f16 to f32
      %10 = arith.subf %9, %in_1 : f32
      %11 = math.exp %10 : f32
      linalg.yield %11 : f32
    } -> tensor<32x1000xf32>
    %5 = linalg.fill ins(%cst : f32) outs(%0 : tensor<32xf32>) -> tensor<32xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%4 : tensor<32x1000xf32>) outs(%5 : tensor<32xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.addf %in, %out : f32
      linalg.yield %9 : f32
    } -> tensor<32xf32>
    %7 = tensor.empty() : tensor<32x1000xf16>
    %8 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%4, %6 : tensor<32x1000xf32>, tensor<32xf32>) outs(%7 : tensor<32x1000xf16>) {
    ^bb0(%in: f32, %in_1: f32, %out: f16):
      %9 = arith.divf %in, %in_1 : f32
      %10 = arith.truncf %9 : f32 to f16
      linalg.yield %10 : f16
    } -> tensor<32x1000xf16>
    return %8 : tensor<32x1000xf16>
  }
}
