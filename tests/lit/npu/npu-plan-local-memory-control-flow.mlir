// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1 --split-input-file --verify-diagnostics
// Planning and synchronisation follow commands through scf.for and scf.if only.

func.func @while(%some: i1) attributes {npu.kernel} {
  // expected-error @+1 {{'scf.while' op in a kernel; expected scf.for and scf.if as the only control flow}}
  scf.while : () -> () {
    scf.condition(%some)
  } do {
    scf.yield
  }
  return
}

// -----

// expected-error @+1 {{has branches between blocks; expected scf.for and scf.if as the only control flow}}
func.func @blocks() attributes {npu.kernel} {
  cf.br ^next
^next:
  return
}
