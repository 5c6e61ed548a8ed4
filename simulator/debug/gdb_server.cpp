// SPDX-License-Identifier: Apache-2.0
#include "simulator/debug/gdb_server.h"

#include "isa/abi/launch.h"
#include "simulator/debug/npu_registers.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace kiln::sim {

namespace {

constexpr std::string_view kStopped = "T05thread:1;";
constexpr std::string_view kFeatures =
    "PacketSize=4000;qXfer:features:read+;swbreak+;hwbreak+;"
    "QStartNoAckMode+;vContSupported+";
constexpr uint64_t kPollEvery = 4096; // instructions between looks at gdb
constexpr uint64_t kMostBytes = 0x1000;

/// The next hexadecimal number of `text`; moves behind it and one separator.
std::optional<uint64_t> number(std::string_view &text) {
  uint64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  text.remove_prefix(std::min<size_t>(text.size(), 1));
  return value;
}

std::string bytesOf(uint64_t value) {
  return {reinterpret_cast<const char *>(&value), sizeof value};
}

/// The bytes of an address of S or of GM; empty when there are none.
std::span<std::byte> memoryAt(const DebugView &view, uint64_t address,
                              uint64_t bytes) {
  if (bytes == 0 || bytes > kMostBytes) {
    return {};
  }
  auto inside = [&](std::span<std::byte> all, uint64_t base) {
    uint64_t offset = address - base;
    return offset < all.size() && bytes <= all.size() - offset
               ? all.subspan(offset, bytes)
               : std::span<std::byte>();
  };
  std::span<std::byte> found =
      inside(view.state->scalarRam(), isa::kScalarRamBase);
  if (found.empty()) {
    found = inside(view.state->memory[isa::Space::UB], isa::kUbWindowBase);
  }
  if (found.empty() && address >= isa::kGmBase) {
    if (std::byte *at =
            view.state->memory.gm->map(address, bytes, isa::Access::kRead)) {
      found = {at, bytes};
    }
  }
  return found;
}

} // namespace

Result<GdbServer> GdbServer::listen(uint16_t port) {
  KILN_ASSIGN_OR_RETURN(PacketStream stream, PacketStream::listen(port));
  return GdbServer(std::move(stream));
}

void GdbServer::exited(int code) {
  if (stream_.connected() && !killed_) {
    stream_.write(fmt::format("W{:02x}", code & 255));
  }
  stream_.close();
}

bool GdbServer::stopsBefore(uint64_t pc) {
  if (detached_) {
    return false;
  }
  if (++asked_ % kPollEvery == 0 && stream_.interrupted()) {
    stepping_ = true;
  }
  return stepping_ || breakpoints_.contains(pc);
}

bool GdbServer::stopped(const DebugView &view) {
  bool first = asked_ == 1; // nobody waits for a reply yet
  serve(view, first ? std::string_view() : kStopped);
  return !killed_;
}

void GdbServer::faulted(const DebugView &view, const FaultReport &fault) {
  if (!detached_ && !killed_ && stream_.connected()) {
    print(fault.text() + "\n");
    serve(view, "T0bthread:1;"); // SIGSEGV
  }
}

/// Answers packets until the core may go on.
void GdbServer::serve(const DebugView &view, std::string_view stopReply) {
  if (!stopReply.empty()) {
    stream_.write(stopReply);
  }
  stepping_ = false;
  Next next = Next::kStay;
  while (next == Next::kStay) {
    std::optional<std::string> packet = stream_.read();
    if (!packet) {
      detached_ = true; // the debugger has gone: run on
      return;
    }
    next = answer(view, *packet);
  }
  killed_ = next == Next::kEnd;
}

GdbServer::Next GdbServer::resume(char how) {
  stepping_ = how == 's' || how == 'S';
  return Next::kGo;
}

GdbServer::Next GdbServer::answer(const DebugView &view,
                                  const std::string &packet) {
  std::string reply;
  switch (packet.empty() ? '\0' : packet[0]) {
  case '?':
    reply = kStopped;
    break;
  case 'c':
  case 's':
    return resume(packet[0]);
  case 'v':
    if (packet.starts_with("vCont;") && packet.size() > 6) {
      return resume(packet[6]);
    }
    reply = packet == "vCont?" ? "vCont;c;C;s;S" : "";
    break;
  case 'D':
    stream_.write("OK");
    detached_ = true;
    stream_.close();
    return Next::kGo;
  case 'k':
    stream_.close();
    return Next::kEnd;
  case 'g':
    for (unsigned r = 0; r < kControlRegisters; ++r) {
      reply += toHexBytes(readRegister(view, r));
    }
    break;
  case 'p': {
    std::string_view text = std::string_view(packet).substr(1);
    std::string bytes = readRegister(
        view, static_cast<unsigned>(number(text).value_or(kEndOfRegisters)));
    reply = bytes.empty() ? "E01" : toHexBytes(bytes);
    break;
  }
  case 'P':
    reply = writeRegister(view, packet);
    break;
  case 'm':
    reply = readMemory(view, packet);
    break;
  case 'M':
    reply = writeMemory(view, packet);
    break;
  case 'Z':
  case 'z':
    reply = breakpoint(packet);
    break;
  case 'H':
  case 'T':
    reply = "OK";
    break;
  case 'q':
  case 'Q':
    reply = query(view, packet);
    break;
  case '\x03':
    reply = "T02thread:1;";
    break;
  default:
    break; // empty: not supported
  }
  stream_.write(reply);
  if (packet == "QStartNoAckMode") {
    stream_.stopAcknowledging();
  }
  return Next::kStay;
}

std::string GdbServer::query(const DebugView &view, const std::string &packet) {
  constexpr std::string_view kRead = "qXfer:features:read:target.xml:";
  constexpr std::string_view kMonitor = "qRcmd,";
  if (packet.starts_with("qSupported")) {
    return std::string(kFeatures);
  }
  if (packet.starts_with(kRead)) {
    std::string_view range = std::string_view(packet).substr(kRead.size());
    uint64_t offset = number(range).value_or(0);
    uint64_t length = number(range).value_or(0);
    std::string xml = targetDescription();
    offset = std::min<uint64_t>(offset, xml.size());
    bool last = xml.size() - offset <= length;
    return (last ? "l" : "m") + xml.substr(offset, length);
  }
  if (packet.starts_with(kMonitor)) {
    std::optional<std::string> command =
        fromHexBytes(std::string_view(packet).substr(kMonitor.size()));
    return command ? toHexBytes(monitorText(view, *command)) : "E01";
  }
  if (packet == "QStartNoAckMode") {
    return "OK";
  }
  return packet == "qC"             ? "QC1"
         : packet == "qfThreadInfo" ? "m1"
         : packet == "qsThreadInfo" ? "l"
         : packet == "qAttached"    ? "1"
                                    : "";
}

std::string GdbServer::breakpoint(const std::string &packet) {
  std::string_view text = std::string_view(packet).substr(1);
  std::optional<uint64_t> kind = number(text);
  std::optional<uint64_t> address = number(text);
  if (!kind || *kind > 1 || !address) {
    return ""; // watchpoints are not supported
  }
  if (packet[0] == 'Z') {
    breakpoints_.insert(*address);
  } else {
    breakpoints_.erase(*address);
  }
  return "OK";
}

std::string GdbServer::readMemory(const DebugView &view,
                                  const std::string &packet) {
  std::string_view text = std::string_view(packet).substr(1);
  std::optional<uint64_t> address = number(text), bytes = number(text);
  if (!address || !bytes) {
    return "E01";
  }
  const RvCode &code = view.program->code();
  uint64_t offset = *address - code.base;
  uint64_t size = 4 * code.words.size();
  if (offset < size && *bytes <= kMostBytes && *bytes <= size - offset) {
    const char *words = reinterpret_cast<const char *>(code.words.data());
    return toHexBytes({words + offset, *bytes});
  }
  std::span<std::byte> found = memoryAt(view, *address, *bytes);
  return found.empty()
             ? "E14"
             : toHexBytes({reinterpret_cast<const char *>(found.data()),
                           found.size()});
}

std::string GdbServer::writeMemory(const DebugView &view,
                                   const std::string &packet) {
  std::string_view text = std::string_view(packet).substr(1);
  std::optional<uint64_t> address = number(text), bytes = number(text);
  std::optional<std::string> data = fromHexBytes(text);
  if (!address || !bytes || !data || data->size() != *bytes) {
    return "E01";
  }
  std::span<std::byte> found = memoryAt(view, *address, *bytes);
  if (found.empty()) {
    return "E14";
  }
  std::memcpy(found.data(), data->data(), data->size());
  return "OK";
}

std::string GdbServer::readRegister(const DebugView &view,
                                    unsigned number) const {
  const ControlCore &control = view.state->control;
  if (number < kControlRegisters) {
    return bytesOf(number < 32 ? control.reg(number) : control.pc());
  }
  if (number == kCycleRegister) {
    return bytesOf(view.cycle);
  }
  if (number == kBlockRegister) {
    return bytesOf(view.position.block);
  }
  if (number >= kFirstQueueRegister && number < kFirstFlagRegister) {
    auto pipe = static_cast<isa::Pipe>(number - kFirstQueueRegister + 1);
    return bytesOf(view.queue(pipe).size());
  }
  if (number >= kFirstFlagRegister && number < kFirstWindowRegister) {
    return bytesOf(flagBits(
        *view.flags, static_cast<isa::Pipe>(number - kFirstFlagRegister)));
  }
  if (number >= kFirstWindowRegister && number < kFirstAddressRegister) {
    unsigned w = number - kFirstWindowRegister;
    std::span<std::byte> memory = view.state->memory[kWindows[w]];
    uint64_t at = std::min<uint64_t>(windowAt_[w], memory.size());
    std::string bytes(kWindowBytes, '\0');
    std::memcpy(bytes.data(), memory.data() + at,
                std::min<uint64_t>(kWindowBytes, memory.size() - at));
    return bytes;
  }
  if (number >= kFirstAddressRegister && number < kEndOfRegisters) {
    return bytesOf(windowAt_[number - kFirstAddressRegister]);
  }
  return {};
}

std::string GdbServer::writeRegister(const DebugView &view,
                                     const std::string &packet) {
  std::string_view text = std::string_view(packet).substr(1);
  std::optional<uint64_t> which = number(text);
  std::optional<std::string> bytes = fromHexBytes(text);
  uint64_t value = 0;
  if (!which || !bytes || bytes->size() != sizeof value) {
    return "E01";
  }
  std::memcpy(&value, bytes->data(), sizeof value);
  if (*which < 32) {
    view.state->control.setReg(static_cast<unsigned>(*which), value);
    return "OK";
  }
  if (*which >= kFirstAddressRegister && *which < kEndOfRegisters) {
    windowAt_[*which - kFirstAddressRegister] = value;
    return "OK";
  }
  return "E01"; // the others are what the machine does
}

/// Text on gdb's console.
void GdbServer::print(std::string_view text) {
  stream_.write("O" + toHexBytes(text));
}

} // namespace kiln::sim
