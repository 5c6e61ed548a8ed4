// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/perfetto_writer.h"

#include "simulator/trace/attribution.h"

#include <algorithm>
#include <fmt/format.h>

namespace kiln::sim {

using isa::Pipe;

namespace {

// Fields of perfetto.proto.
enum : unsigned {
  kTracePacket = 1,
  kPacketTimestamp = 8,
  kPacketSequence = 10,
  kPacketEvent = 11,
  kPacketInterned = 12,
  kPacketFlags = 13,
  kPacketTrack = 60,
  kTrackUuid = 1,
  kTrackName = 2,
  kTrackProcess = 3,
  kTrackThread = 4,
  kTrackParent = 5,
  kProcessPid = 1,
  kProcessName = 6,
  kThreadPid = 1,
  kThreadTid = 2,
  kThreadName = 5,
  kInternedNames = 2,
  kInternedKeys = 3,
  kStringIid = 1,
  kStringName = 2,
  kAnnotationKey = 1,
  kAnnotationNumber = 3,
  kAnnotationText = 6,
  kEventAnnotation = 4,
  kEventType = 9,
  kEventName = 10,
  kEventTrack = 11,
  kEventFlow = 47,
  kEventFlowEnd = 48,
};
constexpr uint64_t kSliceBegin = 1, kSliceEnd = 2;
constexpr uint64_t kStateCleared = 1, kStateNeeded = 2;
constexpr uint64_t kSequence = 1;
constexpr uint64_t kLaunchTrack = 1;

// Process and track ids: one per core and one per pipe of it.
uint64_t processOf(uint32_t core) { return 16 * (uint64_t{core} + 1); }
uint64_t trackOf(uint32_t core, unsigned pipe) {
  return processOf(core) + 1 + pipe;
}

} // namespace

PerfettoWriter::PerfettoWriter() {
  ProtoEncoder first;
  first.number(kPacketSequence, kSequence).number(kPacketFlags, kStateCleared);
  ProtoEncoder file;
  file.message(kTracePacket, first);
  out_ += file.bytes();
  ProtoEncoder process, track;
  process.number(kProcessPid, kLaunchTrack).text(kProcessName, "launches");
  track.number(kTrackUuid, kLaunchTrack)
      .text(kTrackName, "launches")
      .message(kTrackProcess, process);
  descriptor(track);
}

void PerfettoWriter::descriptor(const ProtoEncoder &track) {
  ProtoEncoder packet, file;
  packet.number(kPacketSequence, kSequence).message(kPacketTrack, track);
  file.message(kTracePacket, packet);
  out_ += file.bytes();
}

void PerfettoWriter::describeCore(uint32_t core) {
  ProtoEncoder process, track;
  process.number(kProcessPid, processOf(core))
      .text(kProcessName, fmt::format("core {}", core));
  track.number(kTrackUuid, processOf(core)).message(kTrackProcess, process);
  descriptor(track);
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    ProtoEncoder thread, pipe;
    thread.number(kThreadPid, processOf(core))
        .number(kThreadTid, trackOf(core, p))
        .text(kThreadName, isa::kPipeNames[p]);
    pipe.number(kTrackUuid, trackOf(core, p))
        .number(kTrackParent, processOf(core))
        .message(kTrackThread, thread);
    descriptor(pipe);
  }
}

uint64_t PerfettoWriter::intern(unsigned field,
                                std::map<std::string, uint64_t> &known,
                                std::string_view text) {
  auto [at, isNew] = known.try_emplace(std::string(text), known.size() + 1);
  if (isNew) {
    ProtoEncoder entry;
    entry.number(kStringIid, at->second).text(kStringName, text);
    interned_.message(field, entry);
  }
  return at->second;
}

void PerfettoWriter::annotate(ProtoEncoder &event, std::string_view key,
                              uint64_t value) {
  ProtoEncoder a;
  a.number(kAnnotationKey, intern(kInternedKeys, keys_, key))
      .number(kAnnotationNumber, value);
  event.message(kEventAnnotation, a);
}

void PerfettoWriter::annotate(ProtoEncoder &event, std::string_view key,
                              std::string_view value) {
  ProtoEncoder a;
  a.number(kAnnotationKey, intern(kInternedKeys, keys_, key))
      .text(kAnnotationText, value);
  event.message(kEventAnnotation, a);
}

void PerfettoWriter::packet(uint64_t cycle, const ProtoEncoder &event) {
  ProtoEncoder packet, file;
  packet.number(kPacketTimestamp, offset_ + cycle)
      .number(kPacketSequence, kSequence)
      .number(kPacketFlags, kStateNeeded);
  if (!interned_.empty()) {
    packet.message(kPacketInterned, interned_);
    interned_ = ProtoEncoder();
  }
  packet.message(kPacketEvent, event);
  file.message(kTracePacket, packet);
  out_ += file.bytes();
}

void PerfettoWriter::begin(const Trace &trace, uint64_t track,
                           const Slice &slice) {
  ProtoEncoder event;
  event.number(kEventType, kSliceBegin)
      .number(kEventName, intern(kInternedNames, names_, slice.name))
      .number(kEventTrack, track);
  if (slice.command) {
    const TraceCommand &c = *slice.command;
    const TraceInstruction &i = trace.of(c);
    annotate(event, "pc", fmt::format("{:#x}", i.pc));
    annotate(event, "instruction", i.text);
    if (i.line) {
      annotate(event, "line", i.line->text());
    }
    annotate(event, "issue", c.issue);
    annotate(event, "start", c.start);
    annotate(event, "retire", c.retire);
    for (const TraceRange &r : c.ranges()) {
      annotate(event,
               fmt::format("{} {}", isa::name(r.space),
                           r.write ? "bytes written" : "bytes read"),
               r.bytes);
    }
  }
  if (slice.flow) {
    event.fixed64(slice.flowEnds ? kEventFlowEnd : kEventFlow, slice.flow);
  }
  packet(slice.begin, event);
}

void PerfettoWriter::end(uint64_t track, uint64_t cycle) {
  ProtoEncoder event;
  event.number(kEventType, kSliceEnd).number(kEventTrack, track);
  packet(cycle, event);
}

/// Writes slices that nest or follow each other.
void PerfettoWriter::addTrack(const Trace &trace, uint64_t track,
                              std::vector<Slice> &slices) {
  std::sort(slices.begin(), slices.end(), [](const auto &a, const auto &b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::vector<uint64_t> open;
  for (const Slice &slice : slices) {
    while (!open.empty() && open.back() <= slice.begin) {
      end(track, open.back());
      open.pop_back();
    }
    begin(trace, track, slice);
    open.push_back(slice.end);
  }
  for (; !open.empty(); open.pop_back()) {
    end(track, open.back());
  }
}

void PerfettoWriter::add(const Trace &trace, std::string_view title) {
  for (; describedCores_ < trace.cores(); ++describedCores_) {
    describeCore(describedCores_);
  }
  std::vector<Slice> launch(1);
  launch[0].end = std::max<uint64_t>(trace.report.cycles, 1);
  launch[0].name = title;
  addTrack(trace, kLaunchTrack, launch);
  for (uint32_t core = 0; core < trace.cores(); ++core) {
    CoreCommands commands(trace, core);
    std::map<const TraceCommand *, uint64_t> flows; // of sets that are waited
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      for (const TraceCommand &c : commands.of(static_cast<Pipe>(p))) {
        if (const TraceCommand *set = commands.setOf(c)) {
          flows[set] = flows[&c] = nextFlow_++;
        }
      }
    }
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      Pipe pipe = static_cast<Pipe>(p);
      std::vector<Slice> slices;
      for (const TraceState &s : trace.states(core, pipe)) {
        if (s.state != PipeState::busy() && s.state != PipeState::idle() &&
            s.state != Stall::kControl) {
          slices.push_back({s.begin, s.end, std::string(s.state.name())});
        }
      }
      for (const TraceCommand &c : commands.of(pipe)) {
        const TraceInstruction &i = trace.of(c);
        bool isWait = i.kind == TraceKind::kWait;
        auto flow = flows.find(&c);
        slices.push_back({c.start, c.busyEnd,
                          std::string(isa::info(i.op).mnemonic), &c,
                          flow == flows.end() ? 0 : flow->second, isWait});
      }
      addTrack(trace, trackOf(core, p), slices);
    }
  }
  offset_ += trace.report.cycles;
}

} // namespace kiln::sim
