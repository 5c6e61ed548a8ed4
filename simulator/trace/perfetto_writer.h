// SPDX-License-Identifier: Apache-2.0
//
// PerfettoWriter: traces as a file for https://ui.perfetto.dev (perfetto.proto
// is the part of the format that is used).
//
//   PerfettoWriter writer;
//   writer.add(trace, "conv1");      // one after the other
//   writeFile("run.perfetto-trace", writer.bytes());
//
// One nanosecond per cycle. A process per core and a thread per pipe; a slice
// per command (its occupancy), per kset, kwait and kcfg (their cycle at the
// head of the queue) and per stall; a flow from each kset to the kwait that
// consumed it. Slices of one thread nest or follow each other. Another process
// holds a slice per launch.
#pragma once

#include "simulator/trace/proto_encoder.h"
#include "simulator/trace/trace.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::sim {

class PerfettoWriter {
public:
  PerfettoWriter();
  /// Appends a launch, `title` names it. It begins where the one before ended.
  void add(const Trace &trace, std::string_view title);
  const std::string &bytes() const { return out_; }

private:
  struct Slice {
    uint64_t begin = 0, end = 0;
    std::string name;
    const TraceCommand *command = nullptr; // null: a stall
    uint64_t flow = 0;                     // of a kset or kwait; 0: none
    bool flowEnds = false;
  };

  void describeCore(uint32_t core);
  void addTrack(const Trace &trace, uint64_t track, std::vector<Slice> &slices);
  void begin(const Trace &trace, uint64_t track, const Slice &slice);
  void end(uint64_t track, uint64_t cycle);
  void packet(uint64_t cycle, const ProtoEncoder &event);
  void descriptor(const ProtoEncoder &track);
  void annotate(ProtoEncoder &event, std::string_view key, uint64_t value);
  void annotate(ProtoEncoder &event, std::string_view key,
                std::string_view value);
  uint64_t intern(unsigned field, std::map<std::string, uint64_t> &known,
                  std::string_view text);

  std::string out_;
  ProtoEncoder interned_; // for the next packet
  std::map<std::string, uint64_t> names_, keys_;
  uint32_t describedCores_ = 0;
  uint64_t offset_ = 0;
  uint64_t nextFlow_ = 1;
};

} // namespace kiln::sim
