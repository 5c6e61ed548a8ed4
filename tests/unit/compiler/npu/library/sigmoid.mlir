#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  plan.func @main(%arg0: tensor<10x100xf16> {plan.name = "input_0"}) -> (tensor<10x100xf16> {plan.name = "output_0"}) {
    %0 = plan.dispatch @sigmoid(%arg0) : (tensor<10x100xf16>) -> tensor<10x100xf16>
    plan.return %0 : tensor<10x100xf16>
  }
  func.func private @sigmoid(%arg0: tensor<10x100xf16>) -> tensor<10x100xf16> attributes {plan.dispatch} {
    %cst = arith.constant 1.000000e+00 : f32
    %0 = tensor.empty() : tensor<10x100xf16>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<10x100xf16>) outs(%0 : tensor<10x100xf16>) {
    ^bb0(%in: f16, %out: f16):
      %2 = arith.extf %in : f16 to f32
      %3 = arith.negf %2 : f32
      %4 = math.exp %3 : f32
      %5 = arith.addf %4, %cst : f32
      %6 = arith.divf %cst, %5 : f32
      %7 = arith.truncf %6 : f32 to f16
      linalg.yield %7 : f16
    } -> tensor<10x100xf16>
    return %1 : tensor<10x100xf16>
  }
}
