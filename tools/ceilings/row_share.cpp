// SPDX-License-Identifier: Apache-2.0
#include "tools/ceilings/row_share.h"

namespace kiln::tools {
namespace {

/// Bytes of every input, once: what an operator reads however it is written.
double inputBytes(const tik::BoundShape &shape) {
  double bytes = 0;
  for (const tik::BoundTensor &tensor : shape.tensors) {
    if (!tensor.isOutput) {
      bytes +=
          static_cast<double>(tensor.elements()) * isa::sizeOf(tensor.type);
    }
  }
  return bytes;
}

const tik::PipeUse *vectorOf(const tik::RunReport &run) {
  for (const tik::PipeUse &pipe : run.pipes) {
    if (pipe.pipe == "V") {
      return &pipe;
    }
  }
  return nullptr;
}

/// V's work over `all` cycles. Those in which operands of a command waited for
/// each other in a bank are no work.
double vectorShare(const tik::PipeUse *v, double all) {
  return v && all > 0 ? static_cast<double>(v->busy - v->bankCycles) / all : 0;
}

/// Multiply-adds of V per cycle on elements of a type.
double peakMultiplyAdds(const isa::ArchSpec &arch, isa::ElementType type) {
  const auto &rate =
      arch.timing.vector[static_cast<unsigned>(isa::VectorClass::kMultiplyAdd)];
  switch (isa::sizeOf(type)) {
  case 1:
    return rate.elements8;
  case 2:
    return rate.elements16;
  default:
    return rate.elements32;
  }
}

} // namespace

double shareOf(ShareOf share, const tik::BoundShape &shape,
               const tik::RunReport &run, const isa::ArchSpec &arch) {
  const auto cycles = static_cast<double>(run.kernelCycles);
  const double all = cycles * run.cores;
  if (all == 0) {
    return 0;
  }
  switch (share) {
  case ShareOf::kCube:
    return tik::usefulShareOf(shape, run, arch);
  case ShareOf::kVector:
    return vectorShare(vectorOf(run), all);
  case ShareOf::kVectorResident:
    return vectorShare(vectorOf(run),
                       vectorOf(run) ? static_cast<double>(vectorOf(run)->span)
                                     : 0);
  case ShareOf::kMultiplyAdd:
    return static_cast<double>(shape.usefulMacs) /
           peakMultiplyAdds(arch, shape.tensors.front().type) / all;
  case ShareOf::kReadPort:
    return inputBytes(shape) / arch.timing.memory.portReadBytesPerCycle / all;
  case ShareOf::kHbm:
    return inputBytes(shape) / arch.peakDramBytesPerCycle() / cycles;
  case ShareOf::kHbmBusy:
    return static_cast<double>(run.dramBytes) / arch.peakDramBytesPerCycle() /
           cycles;
  }
  return 0;
}

} // namespace kiln::tools
