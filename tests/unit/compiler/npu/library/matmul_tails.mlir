#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  plan.func @main(%arg0: tensor<130x77xf16> {plan.name = "input_0"}, %arg1: tensor<77x45xf16> {plan.name = "input_1"}) -> (tensor<130x45xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @matmul(%arg0, %arg1) : (tensor<130x77xf16>, tensor<77x45xf16>) -> tensor<130x45xf16>
    plan.return %0 : tensor<130x45xf16>
  }
  func.func private @matmul(%arg0: tensor<130x77xf16>, %arg1: tensor<77x45xf16>) -> tensor<130x45xf16> attributes {plan.dispatch} {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<130x45xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<130x45xf32>) -> tensor<130x45xf32>
    %2 = linalg.matmul ins(%arg0, %arg1 : tensor<130x77xf16>, tensor<77x45xf16>) outs(%1 : tensor<130x45xf32>) -> tensor<130x45xf32>
    %3 = tensor.empty() : tensor<130x45xf16>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%2 : tensor<130x45xf32>) outs(%3 : tensor<130x45xf16>) {
    ^bb0(%in: f32, %out: f16):
      %5 = arith.truncf %in : f32 to f16
      linalg.yield %5 : f16
    } -> tensor<130x45xf16>
    return %4 : tensor<130x45xf16>
  }
}
