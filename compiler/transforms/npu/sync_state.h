// SPDX-License-Identifier: Apache-2.0
//
// What the pipes know of each other at a point of a kernel: the state that
// npu-verify-sync carries through its walk.
//
// An *event* is something one pipe does again and again: accessing one range
// of bytes, or waiting for one flag. A pipe knows an event when the latest
// instance of it happens before whatever the pipe does next. Because a pipe
// works in order it knows all its own events. States of different ways to a
// point can be joined: both must know an event, or it must not have happened.
#pragma once

#include "isa/codec/machine_types.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/BitVector.h"

#include <array>
#include <map>
#include <tuple>

namespace kiln::npu {

/// (source, destination, id).
using FlagName = std::tuple<unsigned, unsigned, int64_t>;

struct FlagState {
  bool set = false;
  llvm::BitVector known;            // by whoever waits for it
  mlir::Operation *setOp = nullptr; // the last set

  bool operator==(const FlagState &other) const {
    return set == other.set && (!set || known == other.known);
  }
};

class SyncState {
public:
  explicit SyncState(unsigned events) : happened_(events) {
    known_.fill(llvm::BitVector(events));
  }

  bool knows(unsigned pipe, unsigned event) const {
    return !happened_[event] || known_[pipe][event];
  }

  /// A new instance of an event: only its pipe knows it.
  void happen(unsigned pipe, unsigned event) {
    happened_.set(event);
    for (llvm::BitVector &known : known_) {
      known.reset(event);
    }
    for (auto &[name, flag] : flags_) {
      if (flag.set) {
        flag.known.reset(event);
      }
    }
    known_[pipe].set(event);
  }

  /// What the control core knows but for its own events, the next command of
  /// `pipe` knows.
  void issue(unsigned pipe, const llvm::BitVector &ownOfControlCore) {
    llvm::BitVector fromS = known_[0];
    fromS.reset(ownOfControlCore);
    known_[pipe] |= fromS;
  }

  void barrier() { known_.fill(happened_); }

  FlagState &flag(const FlagName &name) { return flags_[name]; }
  const std::map<FlagName, FlagState> &flags() const { return flags_; }

  void set(const FlagName &name, mlir::Operation *op) {
    flags_[name] = {true, known_[std::get<0>(name)], op};
  }
  void clear(const FlagName &name) {
    FlagState &flag = flags_[name];
    known_[std::get<1>(name)] |= flag.known;
    flag.set = false;
  }

  /// The name of a flag that is set in only one of the states, if any.
  std::optional<FlagName> differingFlag(const SyncState &other) const {
    for (const SyncState *state : {this, &other}) {
      for (const auto &[name, flag] : state->flags_) {
        if (isSet(name) != other.isSet(name)) {
          return name;
        }
      }
    }
    return std::nullopt;
  }
  bool isSet(const FlagName &name) const {
    auto it = flags_.find(name);
    return it != flags_.end() && it->second.set;
  }

  /// The point is reached from this state or from `other`.
  void join(const SyncState &other) {
    llvm::BitVector here = happened_, there = other.happened_;
    here.flip();
    there.flip();
    auto meet = [&](llvm::BitVector &mine, llvm::BitVector theirs) {
      mine |= here;
      theirs |= there;
      mine &= theirs;
    };
    for (unsigned pipe = 0; pipe < isa::kNumPipes; ++pipe) {
      meet(known_[pipe], other.known_[pipe]);
    }
    for (auto &[name, flag] : flags_) {
      if (flag.set) {
        meet(flag.known, other.flags_.at(name).known);
      }
    }
    happened_ |= other.happened_;
  }

  bool operator==(const SyncState &other) const {
    return happened_ == other.happened_ && known_ == other.known_ &&
           !differingFlag(other) &&
           llvm::all_of(flags_, [&](const auto &entry) {
             return !entry.second.set ||
                    entry.second == other.flags_.at(entry.first);
           });
  }

private:
  llvm::BitVector happened_;
  std::array<llvm::BitVector, isa::kNumPipes> known_; // by pipe
  std::map<FlagName, FlagState> flags_;
};

} // namespace kiln::npu
