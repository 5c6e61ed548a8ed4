// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory/l2_memory.h"

#include "simulator/memory/address_map.h"

namespace kiln::sim {

L2Memory::L2Memory(const isa::ArchSpec &arch, uint32_t cores,
                   TimingWheel &wheel, uint64_t start)
    : timing_(arch.timing.memory), wheel_(wheel) {
  for (uint32_t core = 0; core < cores; ++core) {
    ports_.push_back(
        std::make_unique<CorePort>(timing_, core, wheel, pool_, *this));
  }
  if (timing_.l2.bytes) {
    for (uint32_t s = 0; s < timing_.l2.slices; ++s) {
      slices_.push_back(
          std::make_unique<L2Slice>(timing_.l2, s, wheel, pool_, *this));
    }
  }
  const isa::DramTiming &dram = timing_.dram;
  DramCycles cycles =
      DramCycles::of(dram.part, arch.timing.clockHz, timing_.l2.lineBytes);
  for (uint32_t c = 0; c < dram.channels; ++c) {
    // Rule 69: the channels take turns within an interval.
    uint64_t first = start + cycles.refi * (c + 1) / dram.channels;
    channels_.push_back(std::make_unique<DramChannel>(
        cycles,
        DramChannel::Options{dram.queueDepth, dram.writeHigh, dram.writeLow,
                             first},
        wheel, *this));
  }
}

/// Rule 41: a burst reaches its slice, or DRAM's queue, after the network.
void L2Memory::burst(uint32_t transaction, uint64_t now) {
  const Transaction &t = pool_[transaction];
  uint64_t at = now + timing_.nocCycles;
  if (!slices_.empty()) {
    wheel_.at<&L2Memory::arriveAtSlice>(at, Phase::kMain, this, transaction);
    return;
  }
  Pending p;
  p.entry = transaction;
  p.request.write = t.write;
  p.request.bytes = t.bytes;
  p.request.order = t.core;
  sendToDram(p, t.address / timing_.l2.lineBytes, at + timing_.l2.missCycles);
}

void L2Memory::arriveAtSlice(uint64_t transaction, uint64_t now) {
  uint32_t index = static_cast<uint32_t>(transaction);
  uint64_t line = pool_[index].address / timing_.l2.lineBytes;
  slices_[spread(line, timing_.l2.slices)]->arrive(index, now);
}

void L2Memory::answerAt(uint32_t transaction, uint64_t at) {
  wheel_.at<&CorePort::answer>(at + timing_.nocCycles, Phase::kMain,
                               ports_[pool_[transaction].core].get(),
                               transaction);
}

void L2Memory::fetchAt(uint32_t slice, uint32_t entry, uint64_t line,
                       uint64_t at) {
  Pending p;
  p.slice = slice;
  p.entry = entry;
  p.request.bytes = timing_.l2.lineBytes;
  p.request.order = slice;
  sendToDram(p, line, at);
}

void L2Memory::writeBackAt(uint32_t slice, uint64_t line, uint32_t bytes,
                           uint64_t at) {
  Pending p;
  p.slice = slice;
  p.request.write = true;
  p.request.bytes = bytes;
  p.request.order = slice;
  sendToDram(p, line, at);
}

void L2Memory::sendToDram(const Pending &pending, uint64_t line, uint64_t at) {
  uint32_t tag;
  if (freeTags_.empty()) {
    tag = static_cast<uint32_t>(pending_.size());
    pending_.push_back(pending);
  } else {
    tag = freeTags_.back();
    freeTags_.pop_back();
    pending_[tag] = pending;
  }
  Pending &p = pending_[tag];
  p.channel = spread(line, timing_.dram.channels); // rule 60
  p.request.line = line / timing_.dram.channels;
  p.request.tag = tag;
  wheel_.at<&L2Memory::arriveAtDram>(at, Phase::kMain, this, tag);
}

void L2Memory::arriveAtDram(uint64_t tag, uint64_t now) {
  const Pending &p = pending_[tag];
  channels_[p.channel]->push(p.request, now);
}

void L2Memory::dramDone(uint32_t tag, bool write, uint64_t now) {
  if (write && !slices_.empty()) {
    uint32_t slice = pending_[tag].slice;
    freeTags_.push_back(tag);
    slices_[slice]->writtenBack(now);
    return;
  }
  wheel_.at<&L2Memory::filled>(now + timing_.l2.fillCycles, Phase::kMain, this,
                               tag);
}

void L2Memory::filled(uint64_t tag, uint64_t now) {
  const Pending p = pending_[tag];
  freeTags_.push_back(static_cast<uint32_t>(tag));
  if (slices_.empty()) {
    answerAt(p.entry, now);
  } else {
    slices_[p.slice]->filled(p.entry, now);
  }
}

MemoryCounters L2Memory::counters() const {
  MemoryCounters c;
  for (const auto &slice : slices_) {
    c += slice->counters();
  }
  for (const auto &channel : channels_) {
    c += channel->counters();
  }
  return c;
}

} // namespace kiln::sim
