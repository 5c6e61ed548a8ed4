// SPDX-License-Identifier: Apache-2.0
//
// CorePort: a core's connection to the network (rules 41 to 44): beats of the
// port, outstanding bursts, and the return link on which the data of reads
// arrives.
#pragma once

#include "isa/arch/arch_spec.h"
#include "simulator/core/timing_wheel.h"
#include "simulator/memory/mem_port.h"

#include <cstdint>
#include <vector>

namespace kiln::sim {

/// One burst on its way, by index in the memory system's pool.
struct Transaction {
  MemClient *client = nullptr;
  uint64_t tag = 0;
  uint64_t address = 0;
  uint64_t sequence = 0; // of its core
  uint32_t bytes = 0;
  uint32_t beats = 0;
  uint32_t core = 0;
  uint32_t next = ~0u; // free list; others that wait for its line
  bool write = false;
};

class TransactionPool {
public:
  uint32_t take() {
    if (free_ == ~0u) {
      all_.emplace_back();
      return static_cast<uint32_t>(all_.size() - 1);
    }
    uint32_t index = free_;
    free_ = all_[index].next;
    return index;
  }
  void give(uint32_t index) {
    all_[index].next = free_;
    free_ = index;
  }
  Transaction &operator[](uint32_t index) { return all_[index]; }

private:
  std::vector<Transaction> all_;
  uint32_t free_ = ~0u;
};

/// Where a port sends its bursts.
class BurstSink {
public:
  virtual ~BurstSink() = default;
  virtual void burst(uint32_t transaction, uint64_t now) = 0;
};

class CorePort final : public MemPort {
public:
  CorePort(const isa::MemoryTiming &timing, uint32_t core, TimingWheel &wheel,
           TransactionPool &pool, BurstSink &sink)
      : timing_(timing), core_(core), wheel_(wheel), pool_(pool), sink_(sink) {}

  Cycle readyAt(bool write, Cycle now) const override;
  void issue(const MemRequest &request, MemClient &client, Cycle now) override;

  /// The answer to a transaction reaches the core at `now`: data of a read,
  /// the acknowledgement of a write.
  void answer(uint64_t transaction, uint64_t now);

private:
  struct Direction {
    uint32_t outstanding = 0;
    uint64_t portFree = 0;
  };

  void deliver(uint64_t, uint64_t now);
  void complete(uint64_t transaction, uint64_t now);

  static constexpr uint64_t kNever = ~uint64_t{0};
  const isa::MemoryTiming &timing_;
  uint32_t core_;
  TimingWheel &wheel_;
  TransactionPool &pool_;
  BurstSink &sink_;
  Direction directions_[2]; // read, write
  uint64_t sequence_ = 0;
  std::vector<uint32_t> arrived_; // reads, oldest burst first
  uint64_t linkFree_ = 0;
  uint64_t armedAt_ = kNever;
};

} // namespace kiln::sim
