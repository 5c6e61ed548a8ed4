// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <cstring>

namespace kiln::hal::conformance {
namespace {

ByteVector zeros(size_t size) { return ByteVector(size); }

std::shared_ptr<Recording> make(Case &c) {
  auto recording = c.device()->createRecording();
  c.expectOk(recording.status(), "creating a recording");
  return *recording;
}

/// Copies slot 0 to slot 1.
std::shared_ptr<Recording> copyRecording(Case &c) {
  auto recording = make(c);
  c.expectOk(recording->copy(SlotRange{0}, SlotRange{1}), "copy");
  c.expectOk(recording->finish(), "finish");
  return recording;
}

void emptyRecordingSignals(Case &c) {
  auto recording = make(c);
  c.expectOk(recording->finish(), "finish");
  c.expectOk(c.queue().submit(recording, {}, c.next()), "submit");
  c.expectOk(c.wait(), "submit");
}

void slotsTakeTheRangesOfASubmission(Case &c) {
  auto recording = copyRecording(c);
  auto from = c.bufferOf(pattern(256, 1));
  auto to = c.bufferOf(zeros(256));
  c.expectOk(
      c.queue().submit(recording, {{from, 0, 64}, {to, 128, 64}}, c.next()),
      "first");
  c.expectOk(
      c.queue().submit(recording, {{from, 192, 64}, {to, 0, 64}}, c.next()),
      "second");
  c.expectOk(c.wait(), "both");
  ByteVector source = pattern(256, 1), expected(256);
  std::memcpy(&expected[128], &source[0], 64);
  std::memcpy(&expected[0], &source[192], 64);
  c.expectBytes(c.read(to), expected, "bytes");
}

void slotRangesAreRelative(Case &c) {
  auto recording = make(c);
  c.expectOk(recording->copy(SlotRange{0, 10, 20}, SlotRange{0, 100, 20}),
             "copy");
  c.expectOk(recording->finish(), "finish");
  ByteVector source = pattern(300, 2);
  auto buffer = c.bufferOf(source);
  c.expectOk(c.queue().submit(recording, {{buffer, 150, 150}}, c.next()),
             "submit");
  c.expectOk(c.wait(), "submit");
  ByteVector expected = source;
  std::memcpy(&expected[250], &source[160], 20);
  c.expectBytes(c.read(buffer), expected, "bytes");
}

void recordingRunsTwiceAtATime(Case &c) {
  auto recording = copyRecording(c);
  auto a = c.bufferOf(pattern(4096, 3));
  auto b = c.bufferOf(pattern(4096, 4));
  auto toA = c.bufferOf(zeros(4096));
  auto toB = c.bufferOf(zeros(4096));
  auto t = c.newTimeline();
  auto u = c.newTimeline();
  c.expectOk(c.queue().submit(recording, {{a}, {toA}}, {.signal = {{t, 1}}}),
             "first");
  c.expectOk(c.queue(c.otherQueue())
                 .submit(recording, {{b}, {toB}}, {.signal = {{u, 1}}}),
             "second");
  c.expectOk(c.wait(t, 1), "first");
  c.expectOk(c.wait(u, 1), "second");
  c.expectBytes(c.read(toA), pattern(4096, 3), "first");
  c.expectBytes(c.read(toB), pattern(4096, 4), "second");
}

void barriersOrderCommands(Case &c) {
  auto buffer = c.bufferOf(zeros(128));
  auto recording = make(c);
  c.expectOk(recording->fill(BufferRange{buffer, 0, 64}, 1, 1), "fill");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(
      recording->copy(BufferRange{buffer, 0, 64}, BufferRange{buffer, 64, 64}),
      "copy");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(recording->fill(BufferRange{buffer, 0, 64}, 2, 1), "fill");
  c.expectOk(recording->finish(), "finish");
  c.expectOk(c.queue().submit(recording, {}, c.next()), "submit");
  c.expectOk(c.wait(), "submit");
  ByteVector expected(64, std::byte{2});
  expected.insert(expected.end(), 64, std::byte{1});
  c.expectBytes(c.read(buffer), expected, "bytes");
}

void dispatchesAndTransfersMix(Case &c) {
  auto input = c.bufferOf(pattern(512, 5));
  auto middle = c.bufferOf(zeros(512));
  auto output = c.bufferOf(zeros(512));
  auto recording = make(c);
  c.expectOk(recording->dispatch(c.copyDispatch(input, middle)), "dispatch");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(recording->fill(BufferRange{middle, 0, 32}, 0xabcdabcd), "fill");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(recording->dispatch(c.copyDispatch(middle, output)), "dispatch");
  c.expectOk(recording->finish(), "finish");
  c.expectOk(c.queue().submit(recording, {}, c.next()), "submit");
  c.expectOk(c.wait(), "submit");
  ByteVector expected = pattern(512, 5);
  uint32_t word = 0xabcdabcd;
  for (size_t i = 0; i < 32; i += 4) {
    std::memcpy(&expected[i], &word, 4);
  }
  c.expectBytes(c.read(output), expected, "bytes");
}

void longRecordingRunsCompletely(Case &c) {
  constexpr int64_t kDispatches = 60;
  auto sum = c.bufferOf(zeros(64));
  auto recording = make(c);
  DispatchInfo info = c.dispatch("increment", {{sum}}, {1});
  for (int64_t i = 1; i <= kDispatches; ++i) {
    info.constants = {i};
    c.expectOk(recording->dispatch(info), "dispatch");
    c.expectOk(recording->barrier(), "barrier");
  }
  c.expectOk(recording->finish(), "finish");
  ReportLog log;
  c.expectOk(c.queue().submit(recording, {}, c.next(), log.observer()),
             "submit");
  c.expectOk(c.wait(), "submit");
  uint64_t found = 0;
  ByteVector bytes = c.read(sum);
  std::memcpy(&found, bytes.data(), bytes.empty() ? 0 : sizeof(found));
  c.expect(found == kDispatches * (kDispatches + 1) / 2, "sum");
  c.expect(log.entries().size() == kDispatches, "reports");
}

void observersCountCommands(Case &c) {
  auto out = c.bufferOf(zeros(64));
  auto recording = make(c);
  DispatchInfo info = c.dispatch("probe", {{out}}, {0, 0});
  c.expectOk(recording->fill(BufferRange{out}, 0), "fill");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(recording->dispatch(info), "dispatch");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(recording->dispatch(info), "dispatch");
  c.expectOk(recording->finish(), "finish");
  ReportLog log;
  c.expectOk(c.queue().submit(recording, {}, c.next(), log.observer()),
             "submit");
  c.expectOk(c.wait(), "submit");
  std::vector<size_t> commands;
  for (const auto &[command, report] : log.entries()) {
    commands.push_back(command);
  }
  c.expect(commands == std::vector<size_t>{2, 4}, "indices of commands");
}

} // namespace

void addRecordingBodies(std::vector<Body> &bodies) {
  bodies.insert(
      bodies.end(),
      {{"EmptyRecordingSignals", emptyRecordingSignals},
       {"SlotsTakeTheRangesOfASubmission", slotsTakeTheRangesOfASubmission},
       {"SlotRangesAreRelative", slotRangesAreRelative},
       {"RecordingRunsTwiceAtATime", recordingRunsTwiceAtATime},
       {"BarriersOrderCommands", barriersOrderCommands},
       {"DispatchesAndTransfersMix", dispatchesAndTransfersMix},
       {"LongRecordingRunsCompletely", longRecordingRunsCompletely},
       {"ObserversCountCommands", observersCountCommands}});
}

} // namespace kiln::hal::conformance
