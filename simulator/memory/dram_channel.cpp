// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory/dram_channel.h"

#include "isa/support/units.h"
#include "simulator/memory/address_map.h"

#include <algorithm>
#include <numeric>

namespace kiln::sim {

DramCycles DramCycles::of(const isa::DramPart &part, uint64_t clockHz,
                          uint32_t lineBytes) {
  // Picoseconds to cycles; clockHz is at most 10 GHz, so this fits.
  constexpr uint64_t kPsPerSecond = 1'000'000'000'000;
  auto up = [&](uint64_t ps) { return ceilDiv(ps * clockHz, kPsPerSecond); };
  DramCycles t;
  t.banks = part.banks;
  t.activations = part.activations;
  t.linesPerPage = part.pageBytes / lineBytes;
  t.burstBytes = part.burstBytes();
  uint64_t bytesPerSecond =
      uint64_t{part.channelBits} * part.pinKbps * 1000 / 8;
  uint64_t divisor = std::gcd(bytesPerSecond, clockHz);
  t.rateBytes = bytesPerSecond / divisor;
  t.rateCycles = clockHz / divisor;
  t.rcd = up(part.rcdPs);
  t.rp = up(part.rpPs);
  t.ras = up(part.rasPs);
  t.cl = up(part.clPs);
  t.cwl = up(part.cwlPs);
  t.rrd = up(part.rrdPs) * part.activations;
  t.faw = up(part.fawPs);
  t.rtp = up(part.rtpPs);
  t.wr = up(part.wrPs);
  t.wtr = up(part.wtrPs);
  t.rtw = up(part.rtwPs);
  t.refi = std::max<uint64_t>(part.refiPs * clockHz / kPsPerSecond, 1);
  t.rfc = up(part.rfcPs);
  return t;
}

DramChannel::DramChannel(const DramCycles &timing, const Options &options,
                         TimingWheel &wheel, DramClient &client)
    : timing_(timing), options_(options), wheel_(wheel), client_(client),
      banks_(timing.banks), refreshDue_(options.firstRefresh) {}

void DramChannel::push(const DramRequest &request, uint64_t now) {
  Waiting w;
  w.request = request;
  w.arrival = now;
  uint64_t page = request.line / timing_.linesPerPage;
  w.bank = spread(page, timing_.banks); // rule 61
  w.row = page / timing_.banks;
  Queue &queue = request.write ? writes_ : reads_;
  auto at = queue.end();
  while (at != queue.begin() && at[-1].arrival == now &&
         at[-1].request.order > request.order) {
    --at; // requests of one cycle stand in their own order, rule 62
  }
  queue.insert(at, w);
  rowsQuietUntil_ = 0;
  arm(now);
}

void DramChannel::arm(uint64_t cycle) {
  if (cycle < armedAt_) {
    armedAt_ = cycle;
    wheel_.at<&DramChannel::step>(cycle, Phase::kLate, this);
  }
}

void DramChannel::consider(uint64_t cycle, uint64_t now) {
  next_ = std::min(next_, std::max(cycle, now + 1));
}

void DramChannel::step(uint64_t, uint64_t now) {
  if (now != armedAt_) {
    return; // an earlier cycle was found since
  }
  armedAt_ = next_ = kNever;
  if (refresh(now)) {
    bool write = chooseWrites();
    Queue &queue = write ? writes_ : reads_;
    issueColumn(queue, write, now);
    issueRow(write ? writes_ : reads_, now);
  }
  if (next_ != kNever && !(reads_.empty() && writes_.empty())) {
    arm(next_);
  }
}

/// Rules 69 to 71. Refreshes that fell into idle time are made up for when the
/// next request comes: each began when it was due. False while one goes on.
bool DramChannel::refresh(uint64_t now) {
  while (refreshDue_ <= now) {
    uint64_t precharge = refreshDue_;
    bool open = false;
    for (const Bank &bank : banks_) {
      if (bank.open) {
        precharge = std::max(precharge, bank.prechargeAt);
        open = true;
      } else {
        precharge = std::max(precharge, bank.activateAt);
      }
    }
    if (precharge > now) {
      consider(precharge, now);
      return false;
    }
    closeAll(precharge + (open ? timing_.rp : 0) + timing_.rfc);
    ++counters_.refreshes;
    refreshDue_ += timing_.refi;
    // All banks are closed now, so whole idle intervals change nothing.
    if (refreshDue_ + timing_.refi <= now) {
      uint64_t skipped = (now - refreshDue_) / timing_.refi;
      counters_.refreshes += skipped;
      refreshDue_ += skipped * timing_.refi;
    }
  }
  consider(refreshDue_, now);
  return true;
}

void DramChannel::closeAll(uint64_t activateAt) {
  rowsQuietUntil_ = 0;
  for (Bank &bank : banks_) {
    bank.open = false;
    bank.activateAt = activateAt;
  }
}

/// Rule 63: reads first; writes when there are no reads, or in runs from
/// writeHigh waiting ones down to writeLow.
bool DramChannel::chooseWrites() {
  bool before = draining_;
  if (writes_.empty()) {
    draining_ = false;
  } else if (reads_.empty()) {
    draining_ = true;
  } else {
    draining_ = draining_ ? writes_.size() > options_.writeLow
                          : writes_.size() >= options_.writeHigh;
  }
  if (draining_ != before) {
    rowsQuietUntil_ = 0;
  }
  return draining_;
}

size_t DramChannel::window(const Queue &queue) const {
  return std::min<size_t>(queue.size(), options_.queueDepth);
}

/// The first cycle in which the data bus lets a column command go.
uint64_t DramChannel::busAt(bool write) const {
  uint64_t lead = write ? timing_.cwl : timing_.cl;
  uint64_t end = ceilDiv(busEnd_, timing_.rateBytes);
  uint64_t free = busEnd_ / timing_.rateBytes; // data still in this cycle
  if (!busWrote_ && write && busEnd_) {        // rule 66: read to write
    free = end + timing_.rtw;
  }
  uint64_t at = free > lead ? free - lead : 0;
  return busWrote_ && !write ? std::max(at, end + timing_.wtr) : at;
}

/// Rule 64: the oldest request of the window whose row is open and whose data
/// can follow.
void DramChannel::issueColumn(Queue &queue, bool write, uint64_t now) {
  size_t n = window(queue);
  uint64_t bus = busAt(write);
  if (bus > now) {
    if (n) {
      consider(bus, now);
    }
    return;
  }
  for (size_t i = 0; i < n; ++i) {
    Waiting &w = queue[i];
    const Bank &bank = banks_[w.bank];
    if (!bank.open || bank.row != w.row) {
      continue;
    }
    if (bank.columnAt > now) {
      consider(bank.columnAt, now);
      continue;
    }
    transfer(w, now);
    queue.erase(queue.begin() + static_cast<ptrdiff_t>(i));
    rowsQuietUntil_ = 0;
    consider(now + 1, now); // the other queue may have its turn
    return;
  }
}

/// Rule 65: the data of one request, back to back on the bus.
void DramChannel::transfer(Waiting &w, uint64_t now) {
  bool write = w.request.write;
  uint64_t lead = write ? timing_.cwl : timing_.cl;
  uint64_t begin = std::max((now + lead) * timing_.rateBytes, busEnd_);
  uint64_t bytes = alignUp(uint64_t{w.request.bytes}, timing_.burstBytes);
  busEnd_ = begin + bytes * timing_.rateCycles;
  busWrote_ = write;
  uint64_t end = ceilDiv(busEnd_, timing_.rateBytes);
  Bank &bank = banks_[w.bank];
  bank.prechargeAt = std::max(
      bank.prechargeAt, write ? end + timing_.wr : end - lead + timing_.rtp);
  ++(w.opened ? counters_.rowMisses : counters_.rowHits);
  (write ? counters_.dramWriteBytes : counters_.dramReadBytes) += bytes;
  uint32_t slot;
  if (freeSlots_.empty()) {
    slot = static_cast<uint32_t>(inFlight_.size());
    inFlight_.push_back(w.request);
  } else {
    slot = freeSlots_.back();
    freeSlots_.pop_back();
    inFlight_[slot] = w.request;
  }
  wheel_.at<&DramChannel::done>(end, Phase::kMain, this, slot);
}

void DramChannel::done(uint64_t slot, uint64_t now) {
  DramRequest request = inFlight_[slot];
  freeSlots_.push_back(static_cast<uint32_t>(slot));
  client_.dramDone(request.tag, request.write, now);
}

/// Rules 67 and 68: for the oldest request of each bank whose row is not open,
/// if nothing in the window wants the row that is.
void DramChannel::issueRow(Queue &queue, uint64_t now) {
  if (now < rowsQuietUntil_) { // nothing has changed since the last look
    if (rowsQuietUntil_ != kNever) {
      consider(rowsQuietUntil_, now);
    }
    return;
  }
  // The oldest request of each bank that finds another row, in their order;
  // and the banks whose open row is wanted.
  std::array<uint32_t, 65> candidates; // 64 banks, and one over
  size_t found = 0;
  uint64_t missed = 0, wanted = 0;
  size_t n = window(queue);
  for (size_t i = 0; i < n; ++i) {
    const Waiting &w = queue[i];
    const Bank &bank = banks_[w.bank];
    uint64_t bit = uint64_t{1} << w.bank;
    bool hit = bank.open && bank.row == w.row;
    wanted |= hit ? bit : 0;
    candidates[found] = static_cast<uint32_t>(i);
    found += !hit && !(missed & bit);
    missed |= hit ? 0 : bit;
  }
  uint64_t activate = lastActivate_ ? lastActivate_ - 1 + timing_.rrd : 0;
  if (uint64_t oldest = activations_[oldestActivation_]) {
    activate = std::max(activate, oldest - 1 + timing_.faw);
  }
  uint64_t first = kNever;
  for (size_t i = 0; i < found; ++i) {
    Waiting &w = queue[candidates[i]];
    if (wanted >> w.bank & 1) {
      continue;
    }
    Bank &bank = banks_[w.bank];
    uint64_t at =
        bank.open ? bank.prechargeAt : std::max(bank.activateAt, activate);
    if (at > now) {
      first = std::min(first, at);
      continue;
    }
    rowCommand(w, bank, now);
    rowsQuietUntil_ = 0;
    consider(now + 1, now);
    return;
  }
  rowsQuietUntil_ = first;
  if (first != kNever) {
    consider(first, now);
  }
}

/// Rule 68: closes the row that is open, or opens the one of `w`.
void DramChannel::rowCommand(Waiting &w, Bank &bank, uint64_t now) {
  if (bank.open) {
    bank.open = false;
    bank.activateAt = now + timing_.rp;
    ++counters_.rowConflicts;
    return;
  }
  bank.open = true;
  bank.row = w.row;
  bank.columnAt = now + timing_.rcd;
  bank.prechargeAt = now + timing_.ras;
  w.opened = true;
  lastActivate_ = now + 1;
  for (uint32_t a = 0; a < timing_.activations; ++a) {
    activations_[oldestActivation_] = now + 1;
    oldestActivation_ = (oldestActivation_ + 1) % 4;
  }
}

} // namespace kiln::sim
