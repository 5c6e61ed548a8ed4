// SPDX-License-Identifier: Apache-2.0
//
// WriteArbiter: shares a core's GM write port between MTE3 and FIX, one burst
// at a time, round robin (rule 20). It decides late in a cycle, so that the order in
// which requests of one cycle arrive does not matter.
#pragma once

#include "simulator/core/timing_wheel.h"
#include "simulator/memory/mem_port.h"

#include <array>
#include <cstdint>

namespace kiln::sim {

class WriteArbiter {
public:
  /// Hears that its request has the port in cycle `now`; issues its burst.
  class Client {
  public:
    virtual ~Client() = default;
    virtual void granted(uint64_t now) = 0;
  };
  static constexpr unsigned kClients = 2;

  WriteArbiter(TimingWheel &wheel, MemPort &port)
      : wheel_(wheel), port_(port) {}

  void request(unsigned index, Client &client, uint64_t now) {
    waiting_[index] = &client;
    arm(now);
  }
  /// A completion may have opened an outstanding slot.
  void slotFreed(uint64_t now) { arm(now); }

private:
  void arm(uint64_t now) {
    if (!waiting_[0] && !waiting_[1]) {
      return;
    }
    uint64_t ready = port_.readyAt(true, Cycle(now)).count();
    if (ready == ~uint64_t{0} || (armedAt_ >= now && armedAt_ <= ready)) {
      return;
    }
    armedAt_ = ready;
    wheel_.at<&WriteArbiter::decide>(ready, Phase::kLate, this);
  }

  void decide(uint64_t, uint64_t now) {
    armedAt_ = kNever;
    if (port_.readyAt(true, Cycle(now)).count() == now) {
      unsigned index = waiting_[next_] ? next_ : 1 - next_;
      if (Client *client = waiting_[index]) {
        waiting_[index] = nullptr;
        next_ = 1 - index;
        client->granted(now);
      }
    }
    arm(now);
  }

  static constexpr uint64_t kNever = ~uint64_t{0};
  TimingWheel &wheel_;
  MemPort &port_;
  std::array<Client *, kClients> waiting_{};
  unsigned next_ = 0;
  uint64_t armedAt_ = kNever; // cycle of the pending decision
};

} // namespace kiln::sim
