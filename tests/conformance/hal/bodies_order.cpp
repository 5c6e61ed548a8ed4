// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <thread>

namespace kiln::hal::conformance {
namespace {

const Status kPlanted{StatusCode::kDeviceFault, "planted error"};

ByteVector zeros(size_t size) { return ByteVector(size); }

/// The device's queue has gone through work that was submitted after the one
/// under test: what could run has had its turn.
void passTime(Case &c) {
  for (uint32_t queue : {0u, c.otherQueue()}) {
    auto done = c.newTimeline();
    c.expectOk(c.queue(queue).barrier({.signal = {{done, 1}}}), "barrier");
    c.expectOk(c.wait(done, 1), "barrier");
  }
}

void signalComesAfterTheWork(Case &c) {
  auto from = c.bufferOf(pattern(4096, 1));
  for (unsigned round = 0; round < 20; ++round) {
    auto to = c.buffer(4096, MemoryType::kHost);
    c.expectOk(c.queue().copy({from}, {to}, c.next()), "copy");
    c.expectOk(c.wait(), "copy");
    Result<std::span<std::byte>> bytes = to->map();
    if (c.expectOk(bytes.status(), "map")) {
      c.expectBytes(ByteVector(bytes->begin(), bytes->end()), pattern(4096, 1),
                    "bytes at the signal");
    }
  }
}

void signalSetsItsValue(Case &c) {
  auto t = c.newTimeline();
  c.expectOk(c.queue().barrier({.signal = {{t, 7}}}), "barrier");
  c.expectOk(c.wait(t, 5), "a value below the signal");
  Result<uint64_t> value = t->query();
  c.expect(value && *value == 7, "value after the signal");
}

void waitsForTheHost(Case &c) {
  auto buffer = c.bufferOf(zeros(64));
  auto gate = c.newTimeline();
  auto done = c.newTimeline();
  c.expectOk(c.queue().fill({buffer}, 1, 1,
                            {.wait = {{gate, 3}}, .signal = {{done, 1}}}),
             "fill");
  c.expectOk(gate->signal(2), "a value below the wait");
  passTime(c);
  Result<uint64_t> value = done->query();
  c.expect(value && *value == 0, "signalled before its wait");
  c.expectBytes(c.read(buffer), zeros(64), "bytes before the wait");
  c.expectOk(gate->signal(3), "gate");
  c.expectOk(c.wait(done, 1), "fill");
  c.expectBytes(c.read(buffer), ByteVector(64, std::byte{1}),
                "bytes after the wait");
}

void aWaitingCallerOvertakesNothing(Case &c) {
  auto buffer = c.bufferOf(zeros(64));
  auto gate = c.newTimeline();
  auto done = c.newTimeline();
  c.expectOk(
      c.queue().fill(
          {buffer}, 1, 1,
          {.wait = {{gate, 1}}, .signal = {{done, 1}}, .callerWaits = true}),
      "fill that must not start");
  passTime(c);
  c.expectBytes(c.read(buffer), zeros(64), "bytes before the wait");
  c.expectOk(gate->signal(1), "gate");
  c.expectOk(
      c.queue().fill(
          {buffer}, 2, 1,
          {.wait = {{done, 1}}, .signal = {{done, 2}}, .callerWaits = true}),
      "fill after it");
  c.expectOk(c.wait(done, 2), "both");
  c.expectBytes(c.read(buffer), ByteVector(64, std::byte{2}), "bytes");
}

void waitsForAllOfItsWaits(Case &c) {
  auto buffer = c.bufferOf(zeros(64));
  std::shared_ptr<Timeline> gates[3] = {c.newTimeline(), c.newTimeline(),
                                        c.newTimeline()};
  auto done = c.newTimeline();
  Sync sync{{}, {{done, 1}}};
  for (auto &gate : gates) {
    sync.wait.push_back({gate, 1});
  }
  c.expectOk(c.queue().fill({buffer}, 1, 1, sync), "fill");
  for (auto &gate : gates) {
    passTime(c);
    c.expectBytes(c.read(buffer), zeros(64), "bytes before the last wait");
    c.expectOk(gate->signal(1), "gate");
  }
  c.expectOk(c.wait(done, 1), "fill");
  c.expectBytes(c.read(buffer), ByteVector(64, std::byte{1}), "bytes");
}

void signalsEveryTimeline(Case &c) {
  std::shared_ptr<Timeline> all[3] = {c.newTimeline(), c.newTimeline(),
                                      c.newTimeline()};
  c.expectOk(
      c.queue().barrier({.signal = {{all[0], 1}, {all[1], 20}, {all[2], 300}}}),
      "barrier");
  c.expectOk(c.wait(all[0], 1), "first");
  c.expectOk(c.wait(all[1], 20), "second");
  c.expectOk(c.wait(all[2], 300), "third");
}

/// Nothing is ordered by submission, so this is no deadlock.
void laterWorkMayRunFirst(Case &c) {
  auto a = c.bufferOf(pattern(64, 1));
  auto b = c.bufferOf(zeros(64));
  auto d = c.buffer(64);
  auto first = c.newTimeline();
  auto second = c.newTimeline();
  c.expectOk(
      c.queue().copy({b}, {d}, {.wait = {{first, 1}}, .signal = {{second, 1}}}),
      "copy that waits");
  c.expectOk(c.queue().copy({a}, {b}, {.signal = {{first, 1}}}),
             "copy that is waited for");
  c.expectOk(c.wait(second, 1), "both");
  c.expectBytes(c.read(d), pattern(64, 1), "bytes");
}

void longChainKeepsItsOrder(Case &c) {
  auto buffer = c.bufferOf(zeros(100));
  for (uint32_t i = 0; i < 100; ++i) {
    // Each step writes one byte more from the left than the next will.
    c.expectOk(c.queue(i % 2 ? c.otherQueue() : 0)
                   .fill({buffer, 0, 100 - i}, i + 1, 1, c.next()),
               "fill");
  }
  c.expectOk(c.wait(), "chain");
  ByteVector expected(100);
  for (size_t i = 0; i < 100; ++i) {
    expected[i] = static_cast<std::byte>(100 - i);
  }
  c.expectBytes(c.read(buffer), expected, "bytes");
}

/// source -> left, right -> joined, over two queues.
void twoQueuesMeet(Case &c) {
  auto source = c.buffer(64);
  auto joined = c.bufferOf(zeros(128));
  auto start = c.newTimeline();
  auto left = c.newTimeline();
  auto right = c.newTimeline();
  auto done = c.newTimeline();
  auto last = c.buffer(128);
  c.expectOk(
      c.queue(0).copy({joined}, {last},
                      {.wait = {{left, 1}, {right, 1}}, .signal = {{done, 1}}}),
      "join");
  c.expectOk(c.queue(0).copy({source}, {joined, 0, 64},
                             {.wait = {{start, 1}}, .signal = {{left, 1}}}),
             "left");
  c.expectOk(c.queue(c.otherQueue())
                 .copy({source}, {joined, 64, 64},
                       {.wait = {{start, 1}}, .signal = {{right, 1}}}),
             "right");
  ByteVector data = pattern(64, 1);
  c.expectOk(c.queue(0).upload({source}, data, {.signal = {{start, 1}}}),
             "start");
  c.expectOk(c.wait(done, 1), "join");
  ByteVector expected = data;
  expected.insert(expected.end(), data.begin(), data.end());
  c.expectBytes(c.read(last), expected, "bytes");
}

void barrierJoins(Case &c) {
  auto a = c.newTimeline();
  auto b = c.newTimeline();
  auto done = c.newTimeline();
  c.expectOk(
      c.queue().barrier({.wait = {{a, 1}, {b, 1}}, .signal = {{done, 1}}}),
      "barrier");
  c.expectOk(a->signal(1), "a");
  passTime(c);
  Result<uint64_t> value = done->query();
  c.expect(value && *value == 0, "signalled before its second wait");
  c.expectOk(b->signal(1), "b");
  c.expectOk(c.wait(done, 1), "barrier");
}

void failedWaitSkipsTheWork(Case &c) {
  auto buffer = c.bufferOf(zeros(64));
  auto gate = c.newTimeline();
  auto done = c.newTimeline();
  c.expectOk(c.queue().fill({buffer}, 1, 1,
                            {.wait = {{gate, 1}}, .signal = {{done, 1}}}),
             "fill");
  gate->fail(kPlanted);
  Status status = c.wait(done, 1);
  c.expectCode(status, kPlanted.code(), "what waited");
  c.expect(status.message() == kPlanted.message(), "the message is kept");
  c.expectBytes(c.read(buffer), zeros(64), "bytes");
}

void errorTravelsThroughAChain(Case &c) {
  std::shared_ptr<Timeline> t[4];
  for (auto &timeline : t) {
    timeline = c.newTimeline();
  }
  for (uint32_t i = 0; i < 3; ++i) {
    c.expectOk(c.queue(i % 2 ? c.otherQueue() : 0)
                   .barrier({.wait = {{t[i], 1}}, .signal = {{t[i + 1], 1}}}),
               "hop");
  }
  t[0]->fail(kPlanted);
  c.expectCode(c.wait(t[3], 1), kPlanted.code(), "the end of the chain");
}

void errorReachesEverySignal(Case &c) {
  auto gate = c.newTimeline();
  auto a = c.newTimeline();
  auto b = c.newTimeline();
  gate->fail(kPlanted);
  c.expectOk(
      c.queue().barrier({.wait = {{gate, 1}}, .signal = {{a, 1}, {b, 1}}}),
      "barrier");
  c.expectCode(c.wait(a, 1), kPlanted.code(), "first");
  c.expectCode(c.wait(b, 1), kPlanted.code(), "second");
}

void reachedValuesSurviveAFailure(Case &c) {
  auto gate = c.newTimeline();
  auto done = c.newTimeline();
  c.expectOk(gate->signal(5), "gate");
  gate->fail(kPlanted);
  c.expectOk(c.queue().barrier({.wait = {{gate, 5}}, .signal = {{done, 1}}}),
             "barrier");
  c.expectOk(c.wait(done, 1), "a wait reached before the failure");
}

void destroyedDeviceCancelsWhatWaits(Case &c) {
  auto gate = c.newTimeline();
  auto done = c.newTimeline();
  {
    auto device = c.makeDevice(c.setup().options);
    if (!device) {
      return;
    }
    auto buffer = device->allocate({.size = 64});
    c.expectOk(
        device->queue(0)->fill({*buffer}, 0, 1,
                               {.wait = {{gate, 1}}, .signal = {{done, 1}}}),
        "fill");
  }
  c.expectCode(c.wait(done, 1), StatusCode::kCancelled, "pending work");
  c.expectOk(gate->signal(1), "the timeline outlives the device");
}

void finishedWorkSurvivesTheDevice(Case &c) {
  auto done = c.newTimeline();
  {
    auto device = c.makeDevice(c.setup().options);
    if (!device) {
      return;
    }
    c.expectOk(device->queue(0)->barrier({.signal = {{done, 1}}}), "barrier");
  }
  c.expectOk(c.wait(done, 1), "work that could run");
}

void manyThreadsSubmit(Case &c) {
  constexpr unsigned kThreads = 4, kRounds = 25;
  std::vector<std::shared_ptr<Buffer>> buffers;
  std::vector<std::shared_ptr<Timeline>> timelines;
  for (unsigned i = 0; i < kThreads; ++i) {
    buffers.push_back(c.bufferOf(zeros(64)));
    timelines.push_back(c.newTimeline());
  }
  std::vector<Queue> queues = {c.queue(0), c.queue(c.otherQueue())};
  std::vector<Status> outcomes(kThreads);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (unsigned round = 1; round <= kRounds && outcomes[i]; ++round) {
        ByteVector data = pattern(64, 100 * i + round);
        outcomes[i] =
            queues[round % 2].upload({buffers[i]}, data,
                                     {.wait = {{timelines[i], round - 1}},
                                      .signal = {{timelines[i], round}}});
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  for (unsigned i = 0; i < kThreads; ++i) {
    c.expectOk(outcomes[i], "submitting");
    c.expectOk(c.wait(timelines[i], kRounds), "thread's work");
    c.expectBytes(c.read(buffers[i]), pattern(64, 100 * i + kRounds),
                  "the last bytes of thread " + std::to_string(i));
  }
}

} // namespace

void addOrderBodies(std::vector<Body> &bodies) {
  bodies.insert(
      bodies.end(),
      {{"SignalComesAfterTheWork", signalComesAfterTheWork},
       {"SignalSetsItsValue", signalSetsItsValue},
       {"WaitsForTheHost", waitsForTheHost},
       {"AWaitingCallerOvertakesNothing", aWaitingCallerOvertakesNothing},
       {"WaitsForAllOfItsWaits", waitsForAllOfItsWaits},
       {"SignalsEveryTimeline", signalsEveryTimeline},
       {"LaterWorkMayRunFirst", laterWorkMayRunFirst},
       {"LongChainKeepsItsOrder", longChainKeepsItsOrder},
       {"TwoQueuesMeet", twoQueuesMeet},
       {"BarrierJoins", barrierJoins},
       {"FailedWaitSkipsTheWork", failedWaitSkipsTheWork},
       {"ErrorTravelsThroughAChain", errorTravelsThroughAChain},
       {"ErrorReachesEverySignal", errorReachesEverySignal},
       {"ReachedValuesSurviveAFailure", reachedValuesSurviveAFailure},
       {"DestroyedDeviceCancelsWhatWaits", destroyedDeviceCancelsWhatWaits},
       {"FinishedWorkSurvivesTheDevice", finishedWorkSurvivesTheDevice},
       {"ManyThreadsSubmit", manyThreadsSubmit}});
}

} // namespace kiln::hal::conformance
