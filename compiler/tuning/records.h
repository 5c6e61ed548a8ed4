// SPDX-License-Identifier: Apache-2.0
//
// Records: every trial that was ever finished, in one SQLite file. A trial is
// committed when it is added; what was killed goes on where it was.
//
//   Result<Records> records = Records::open("tune.db");
//   Result<int64_t> task = records->task({.key = {kernel, machine, version},
//                                         .title = "matmul M=512 N=512"});
//   records->add(*task, "tileM=128,tileN=256", measurement);
//   Result<std::optional<Record>> best = records->best(key);
//
// A task is one space of settings of one kernel on one machine. Its key holds
// all that cycles depend on, so a record never goes stale: a changed source,
// machine file or version is another task.
//
// Errors: kCorrupt names the file and what is wrong with it (no SQLite file,
// damaged, of another program); kUnsupported: written by a newer Kiln;
// kDoesNotFit: it cannot be written (no space, no permission). Nothing that is
// in a file is ever dropped.
//
// Processes may share a file. Thread rule: one thread per Records.
#pragma once

#include "compiler/tuning/measurer.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::tuning {

struct TaskKey {
  std::string kernel;  // hash: source, shape, attributes, cores
  std::string machine; // hash of the machine file
  std::string version; // of compiler and engine
};

struct Task {
  TaskKey key;
  std::string title; // for people: "matmul M=512 N=512 K=512"
};

/// The best finished trial of a task.
struct Record {
  std::string setting;
  uint64_t cycles = 0;
  uint64_t lowerBound = 0; // 0: not known
  uint64_t trials = 0;     // of the task, failed ones too
  std::string version;
};

class Records {
public:
  /// Makes the file, and the folders it lies in, when they are not there.
  static Result<Records> open(const std::filesystem::path &file);
  /// For look-ups only; the file must exist (kCorrupt).
  static Result<Records> openToRead(const std::filesystem::path &file);
  ~Records();
  Records(Records &&) noexcept;
  Records &operator=(Records &&) noexcept;

  /// The number of a task; it is made when it is new.
  Result<int64_t> task(const Task &task);
  /// Replaces an older trial of the same setting.
  Status add(int64_t task, std::string_view setting,
             const Measurement &measurement);
  /// By setting.
  Result<std::map<std::string, Measurement>> trials(int64_t task) const;
  /// The least cycles, of equals the first found; nothing when no trial of the
  /// task succeeded. An empty version is any: the task tuned last.
  Result<std::optional<Record>> best(const TaskKey &key) const;

private:
  struct State;
  explicit Records(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A measurer that asks the records first and adds what it had to measure,
/// failures too: a setting that ends its process does so once. Both are
/// borrowed.
class RecordedMeasurer final : public Measurer {
public:
  /// Reads the trials of the task.
  static Result<RecordedMeasurer> create(const SearchSpace &space,
                                         Measurer &measurer, Records &records,
                                         int64_t task);

  void submit(size_t trial, const Setting &setting,
              uint64_t abortAbove) override;
  Result<Finished> next() override;

  uint64_t fromRecords() const { return fromRecords_; }
  uint64_t measured() const { return measured_; }

private:
  RecordedMeasurer(const SearchSpace &space, Measurer &measurer,
                   Records &records, int64_t task)
      : space_(&space), measurer_(&measurer), records_(&records), task_(task) {}

  const SearchSpace *space_;
  Measurer *measurer_;
  Records *records_;
  int64_t task_;
  std::map<std::string, Measurement> known_;
  std::map<size_t, std::string> running_;
  std::deque<Finished> ready_;
  uint64_t fromRecords_ = 0, measured_ = 0;
};

} // namespace kiln::tuning
