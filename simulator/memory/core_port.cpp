// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory/core_port.h"

#include <algorithm>
#include <cassert>

namespace kiln::sim {

Cycle CorePort::readyAt(bool write, Cycle now) const {
  const Direction &d = directions_[write];
  uint32_t limit = write ? timing_.outstandingWrites : timing_.outstandingReads;
  return d.outstanding >= limit ? Cycle(kNever)
                                : Cycle(std::max(now.count(), d.portFree));
}

void CorePort::issue(const MemRequest &request, MemClient &client, Cycle now) {
  Direction &d = directions_[request.write];
  assert(readyAt(request.write, now) == now && "the port is not ready");
  ++d.outstanding;
  d.portFree = now.count() + request.beats;
  uint32_t index = pool_.take();
  Transaction &t = pool_[index];
  t = {&client,     request.tag,   request.addr.count(),
       ++sequence_, request.bytes, request.beats,
       core_,       ~0u,           request.write};
  sink_.burst(index, now.count());
}

/// Rule 43: a write is complete when its acknowledgement is there and all its
/// beats could have followed; the data of a read passes the return link.
void CorePort::answer(uint64_t transaction, uint64_t now) {
  uint32_t index = static_cast<uint32_t>(transaction);
  const Transaction &t = pool_[index];
  if (t.write) {
    wheel_.at<&CorePort::complete>(now + t.beats, Phase::kMain, this, index);
    return;
  }
  auto at = arrived_.end();
  while (at != arrived_.begin() && pool_[at[-1]].sequence > t.sequence) {
    --at;
  }
  arrived_.insert(at, index);
  if (armedAt_ == kNever) {
    armedAt_ = std::max(now, linkFree_);
    wheel_.at<&CorePort::deliver>(armedAt_, Phase::kLate, this);
  }
}

/// Rule 44: of the bursts that have arrived, the one handed over first.
void CorePort::deliver(uint64_t, uint64_t now) {
  uint32_t index = arrived_.front();
  arrived_.erase(arrived_.begin());
  const Transaction &t = pool_[index];
  linkFree_ = now + t.beats;
  t.client->burstComes(t.tag, Cycle(now));
  wheel_.at<&CorePort::complete>(linkFree_, Phase::kMain, this, index);
  armedAt_ = kNever;
  if (!arrived_.empty()) {
    armedAt_ = linkFree_;
    wheel_.at<&CorePort::deliver>(armedAt_, Phase::kLate, this);
  }
}

void CorePort::complete(uint64_t transaction, uint64_t now) {
  uint32_t index = static_cast<uint32_t>(transaction);
  const Transaction &t = pool_[index];
  --directions_[t.write].outstanding;
  MemClient *client = t.client;
  uint64_t tag = t.tag;
  pool_.give(index);
  client->burstDone(tag, Cycle(now));
}

} // namespace kiln::sim
