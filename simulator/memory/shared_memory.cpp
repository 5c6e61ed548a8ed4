// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory/shared_memory.h"

#include <algorithm>
#include <cassert>

namespace kiln::sim {

class SharedMemory::Port final : public MemPort {
public:
  explicit Port(SharedMemory &memory) : memory_(memory) {}

  Cycle readyAt(bool write, Cycle now) const override {
    const Direction &d = directions_[write];
    if (d.outstanding >= limit(write)) {
      return Cycle(~uint64_t{0});
    }
    return Cycle(std::max(now.count(), d.portFree));
  }

  void issue(const MemRequest &request, MemClient &client, Cycle now) override {
    Direction &d = directions_[request.write];
    uint64_t sent = now.count() + request.beats;
    assert(readyAt(request.write, now) == now && "the port is not ready");
    ++d.outstanding;
    d.portFree = sent;
    uint64_t done = std::max(sent, memory_.serve(now.count(), request.bytes)) +
                    memory_.timing_.flat.latencyCycles;
    done = std::max(done, d.lastDone + (request.write ? 0 : request.beats));
    d.lastDone = done;
    uint32_t slot = takeSlot({request.tag, &client, request.write});
    memory_.wheel_.at<&Port::complete>(done, Phase::kMain, this, slot);
    if (!request.write) {
      client.burstComes(request.tag, Cycle(done - request.beats));
    }
  }

private:
  struct Direction {
    uint32_t outstanding = 0;
    uint64_t portFree = 0;
    uint64_t lastDone = 0;
  };
  struct Burst {
    uint64_t tag = 0;
    MemClient *client = nullptr;
    bool write = false;
  };

  uint32_t limit(bool write) const {
    return write ? memory_.timing_.outstandingWrites
                 : memory_.timing_.outstandingReads;
  }
  uint32_t takeSlot(const Burst &burst) {
    if (freeSlots_.empty()) {
      bursts_.push_back(burst);
      return static_cast<uint32_t>(bursts_.size() - 1);
    }
    uint32_t slot = freeSlots_.back();
    freeSlots_.pop_back();
    bursts_[slot] = burst;
    return slot;
  }
  void complete(uint64_t slot, uint64_t now) {
    Burst burst = bursts_[slot];
    freeSlots_.push_back(static_cast<uint32_t>(slot));
    --directions_[burst.write].outstanding;
    burst.client->burstDone(burst.tag, Cycle(now));
  }

  SharedMemory &memory_;
  Direction directions_[2]; // read, write
  std::vector<Burst> bursts_;
  std::vector<uint32_t> freeSlots_;
};

SharedMemory::SharedMemory(const isa::MemoryTiming &timing, uint32_t cores,
                           TimingWheel &wheel)
    : timing_(timing), wheel_(wheel) {
  for (uint32_t i = 0; i < cores; ++i) {
    ports_.push_back(std::make_unique<Port>(*this));
  }
}

SharedMemory::~SharedMemory() = default;

MemPort &SharedMemory::port(uint32_t core) { return *ports_[core]; }

uint64_t SharedMemory::serve(uint64_t now, uint32_t bytes) {
  uint64_t rate = timing_.flat.serverBytesPerCycle;
  serverEnd_ = std::max(serverEnd_, now * rate) + bytes;
  return ceilDiv(serverEnd_, rate);
}

} // namespace kiln::sim
