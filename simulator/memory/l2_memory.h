// SPDX-License-Identifier: Apache-2.0
//
// L2Memory: network, L2 slices and DRAM channels behind the cores' ports.
//
//   core port --noc--> slice --miss--> DRAM channel
//        ^                |  hit             |
//        +----noc---------+<----fill---------+
//
// A machine whose L2 has no bytes sends its bursts straight to DRAM. The
// rules are 40 to 71 of docs/microarchitecture.md; this class is only the
// wiring between the parts.
#pragma once

#include "simulator/memory/dram_channel.h"
#include "simulator/memory/l2_slice.h"
#include "simulator/memory/memory_system.h"

#include <deque>
#include <memory>
#include <vector>

namespace kiln::sim {

class L2Memory final : public MemorySystem,
                       public BurstSink,
                       public L2Surroundings,
                       public DramClient {
public:
  L2Memory(const isa::ArchSpec &arch, uint32_t cores, TimingWheel &wheel,
           uint64_t start = 0);

  MemPort &port(uint32_t core) override { return *ports_[core]; }
  MemoryCounters counters() const override;

private:
  /// A request on its way to a DRAM channel or being served there.
  struct Pending {
    DramRequest request;
    uint32_t channel = 0;
    uint32_t slice = 0; // or, without L2, nothing
    uint32_t entry = 0; // miss entry, or the transaction without L2
  };

  void burst(uint32_t transaction, uint64_t now) override;
  void answerAt(uint32_t transaction, uint64_t at) override;
  void fetchAt(uint32_t slice, uint32_t entry, uint64_t line,
               uint64_t at) override;
  void writeBackAt(uint32_t slice, uint64_t line, uint32_t bytes,
                   uint64_t at) override;
  void dramDone(uint32_t tag, bool write, uint64_t now) override;

  void arriveAtSlice(uint64_t transaction, uint64_t now);
  void sendToDram(const Pending &pending, uint64_t line, uint64_t at);
  void arriveAtDram(uint64_t tag, uint64_t now);
  void filled(uint64_t tag, uint64_t now);

  isa::MemoryTiming timing_;
  TimingWheel &wheel_;
  TransactionPool pool_;
  std::vector<std::unique_ptr<CorePort>> ports_;
  std::vector<std::unique_ptr<L2Slice>> slices_;
  std::vector<std::unique_ptr<DramChannel>> channels_;
  std::vector<Pending> pending_; // by tag
  std::vector<uint32_t> freeTags_;
};

} // namespace kiln::sim
