// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/core_state.h"

#include "isa/gen/operands.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>

namespace kiln::sim {

namespace {

constexpr uint64_t kHostAlignment = 64; // a host vector register

std::byte *allocateZeroed(uint64_t bytes) {
  uint64_t size = alignUp(std::max<uint64_t>(bytes, 1), kHostAlignment);
  auto *p = static_cast<std::byte *>(std::aligned_alloc(kHostAlignment, size));
  std::memset(p, 0, size);
  return p;
}

} // namespace

void CoreState::Free::operator()(std::byte *p) const { std::free(p); }

CoreState::CoreState(const isa::ArchSpec &arch, isa::GlobalMemory &gm) {
  auto make = [&](uint64_t bytes) {
    storage_.emplace_back(allocateZeroed(bytes));
    return std::span<std::byte>(storage_.back().get(), bytes);
  };
  for (unsigned s = 1; s < isa::kNumSpaces; ++s) {
    memory.local[s] = make(arch.arch.capacityBytes[s]);
  }
  memory.gm = &gm;
  scalarRam_ = make(arch.arch.scalarRamBytes);
  control.attach(scalarRam_, memory[isa::Space::UB]);
  control.setTiming(arch.timing.control);
}

void CoreState::startBlock(const Program &program,
                           std::span<const uint8_t> argumentBlock,
                           const BlockPosition &position, uint64_t now) {
  config = {};
  std::fill(scalarRam_.begin(), scalarRam_.end(), std::byte{0});
  for (const Segment &segment : program.image().segments) {
    if (!segment.executable) {
      std::memcpy(scalarRam_.data() + (segment.address - isa::kScalarRamBase),
                  segment.bytes.data(), segment.bytes.size());
    }
  }
  uint64_t argument = alignUp(program.stackTop(), 8);
  std::memcpy(scalarRam_.data() + (argument - isa::kScalarRamBase),
              argumentBlock.data(), argumentBlock.size());
  control.start(program, program.image().entry, argument, position, now);
}

Result<std::vector<uint8_t>> prepareLaunch(const isa::ArchSpec &arch,
                                           HostGlobalMemory &gm,
                                           const LaunchRequest &request) {
  if (!request.program) {
    return Status(StatusCode::kInvalidArgument, "launch without a program");
  }
  const isa::KernelNote &note = request.program->image().note;
  if (request.bindings.size() != note.bindingCount ||
      request.constants.size() != note.constantCount) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: {} bindings and {} constants given, kernel "
                              "'{}' takes {} and {}",
                              request.program->image().origin,
                              request.bindings.size(), request.constants.size(),
                              note.kernel, note.bindingCount,
                              note.constantCount));
  }
  if (request.cores == 0 || request.cores > arch.arch.cores) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} cores asked for, {} has {}", request.cores,
                              arch.name, arch.arch.cores));
  }
  std::vector<uint64_t> addresses;
  std::vector<GmRange> ranges;
  for (const GmRange &range : request.bindings) {
    addresses.push_back(range.address);
    ranges.push_back(range);
  }
  if (request.workspace.bytes) {
    ranges.push_back(request.workspace);
  }
  for (const GmRange &range : ranges) {
    if (!gm.host(GmAddr(range.address), range.bytes)) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("binding [{:#x}, +{}) lies outside global "
                                "memory [{:#x}, +{})",
                                range.address, range.bytes, gm.base(),
                                gm.size()));
    }
  }
  if ((note.deviceBarrier || request.program->meetsBlocks()) &&
      request.blockDim > request.cores) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("kernel '{}' lets blocks meet: {} blocks "
                              "need as many cores, {} are used",
                              note.kernel, request.blockDim, request.cores));
  }
  std::vector<uint8_t> block = isa::buildArgumentBlock(
      addresses, request.constants, request.workspace.address);
  KILN_RETURN_IF_ERROR(request.program->checkFits(arch, block.size()));
  gm.bind(std::move(ranges), request.checks.bounds);
  return block;
}

bool runTextCommand(const isa::Command &c, uint32_t block,
                    const CoreState &core, LaunchReport &report,
                    std::optional<isa::Fault> &fault) {
  const bool print = c.op == isa::Opcode::kKprint;
  if (!print && (c.op != isa::Opcode::kKassert || c.rs1 != 0)) {
    return c.op == isa::Opcode::kKassert;
  }
  const uint64_t address = print ? c.rs1 : c.rs2;
  const std::optional<std::string_view> text = core.scalarText(address);
  if (!text) {
    fault = {isa::FaultKind::kControl,
             fmt::format("no text of at most {} bytes at {:#x} in the scalar "
                         "RAM",
                         CoreState::kMaxText, address)};
    return true;
  }
  if (!print) {
    fault = {isa::FaultKind::kTrap,
             "assertion failed: " + formatKernelText(*text, {c.rs3, 0}, 1)};
  } else if (report.printed.size() < LaunchReport::kMaxPrinted) {
    report.printed.push_back(
        {block, c.pc, formatKernelText(*text, {c.rs2, c.rs3}, 2)});
  }
  return true;
}

std::optional<std::string_view> CoreState::scalarText(uint64_t address) const {
  if (address < isa::kScalarRamBase ||
      address - isa::kScalarRamBase >= scalarRam_.size()) {
    return std::nullopt;
  }
  const std::string_view rest(
      reinterpret_cast<const char *>(scalarRam_.data()) +
          (address - isa::kScalarRamBase),
      scalarRam_.size() - (address - isa::kScalarRamBase));
  const size_t end = rest.substr(0, kMaxText + 1).find('\0');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  return rest.substr(0, end);
}

void countCommand(const isa::Command &c, const isa::PipeConfig &config,
                  LaunchReport &report) {
  using isa::TimingClass;
  switch (isa::info(c.op).timing) {
  case TimingClass::kCube: {
    isa::CubeShape shape = isa::CubeShape::unpack(c.rs1);
    report.macs += uint64_t{shape.m} * shape.n * shape.k;
    break;
  }
  case TimingClass::kLoad: {
    isa::LoadGeometry g = isa::LoadGeometry::unpack(c.rs3);
    report.gmReadBytes +=
        uint64_t{g.rowBytes} * isa::LocalView::unpack(c.rs1).count;
    break;
  }
  case TimingClass::kStore: {
    isa::StoreGeometry g = isa::StoreGeometry::unpack(c.rs3);
    report.gmWriteBytes +=
        uint64_t{g.rowBytes} * isa::LocalView::unpack(c.rs2).count;
    break;
  }
  case TimingClass::kFixGm: {
    isa::AccumulatorTile tile = isa::AccumulatorTile::unpack(c.rs2);
    isa::ElementType type = isa::FixConfig0::unpack(config.fix[0]).type;
    report.gmWriteBytes += uint64_t{tile.m} * tile.n * isa::sizeOf(type);
    break;
  }
  default:
    break;
  }
}

} // namespace kiln::sim
