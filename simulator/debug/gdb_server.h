// SPDX-License-Identifier: Apache-2.0
//
// GdbServer: a core as a target of gdb-multiarch.
//
//   KILN_ASSIGN_OR_RETURN(GdbServer server, GdbServer::listen(1234));
//   KILN_RETURN_IF_ERROR(server.accept());
//   request.debug = &server;          // either engine, one core
//   Result<LaunchReport> report = engine->run(request);
//   server.exited(report ? 0 : 1);
//
// In gdb: `target remote :1234`, `break add.cpp:37`, `continue`, `step`,
// `info registers npu`, `p $ub.f16`, `monitor flags`, `monitor l1 0x40 f16 8`.
//
// Registers: those of RV64, read and write but for pc, which is read only; the
// group npu: cycle, block, queue_PIPE (commands waiting), flags_PIPE (set by
// PIPE: byte d holds the ids for destination d), and 64-byte windows of ub, l1
// and l0c as typed vectors, which begin at ub_at, l1_at and l0c_at (writable).
// Memory: instruction RAM (read only), scalar RAM, the UB window, and GM.
// Errors: socket errors are kInvalidArgument; a debugger that goes away lets
// the program run on.
#pragma once

#include "simulator/core/debug_hook.h"
#include "simulator/debug/packet_stream.h"

#include <set>
#include <string>

namespace kiln::sim {

class GdbServer final : public DebugHook {
public:
  static Result<GdbServer> listen(uint16_t port);

  uint16_t port() const { return stream_.port(); }
  Status accept() { return stream_.accept(); }
  /// The launch is over; `code` as of a process.
  void exited(int code);
  /// The debugger killed the program.
  bool killed() const { return killed_; }

  bool stopsBefore(uint64_t pc) override;
  bool stopped(const DebugView &view) override;
  void faulted(const DebugView &view, const FaultReport &fault) override;

private:
  enum class Next : uint8_t { kStay, kGo, kEnd };

  explicit GdbServer(PacketStream stream) : stream_(std::move(stream)) {}

  void serve(const DebugView &view, std::string_view stopReply);
  Next answer(const DebugView &view, const std::string &packet);
  Next resume(char how);
  std::string query(const DebugView &view, const std::string &packet);
  std::string breakpoint(const std::string &packet);
  std::string readMemory(const DebugView &view, const std::string &packet);
  std::string writeMemory(const DebugView &view, const std::string &packet);
  std::string readRegister(const DebugView &view, unsigned number) const;
  std::string writeRegister(const DebugView &view, const std::string &packet);
  void print(std::string_view text);

  PacketStream stream_;
  std::set<uint64_t> breakpoints_;
  bool stepping_ = true; // stops before the first instruction
  bool killed_ = false;
  bool detached_ = false;
  uint64_t asked_ = 0; // calls of stopsBefore()
  uint64_t windowAt_[3] = {};
};

} // namespace kiln::sim
