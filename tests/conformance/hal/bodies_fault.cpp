// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <cstring>

namespace kiln::hal::conformance {
namespace {

ByteVector zeros(size_t size) { return ByteVector(size); }

DispatchInfo trap(Case &c) {
  return c.dispatch("trap", {{c.bufferOf(zeros(64))}}, {});
}

/// The device still does a dispatch right.
void expectUsable(Case &c) {
  auto out = c.bufferOf(zeros(64));
  auto done = c.newTimeline();
  c.expectOk(c.queue().dispatch(c.dispatch("increment", {{out}}, {9}),
                                {.signal = {{done, 1}}}),
             "dispatch afterwards");
  c.expectOk(c.wait(done, 1), "dispatch afterwards");
  uint64_t found = 0;
  ByteVector bytes = c.read(out);
  std::memcpy(&found, bytes.data(), bytes.empty() ? 0 : sizeof(found));
  c.expect(found == 9, "result afterwards");
}

void faultFailsItsSignals(Case &c) {
  auto done = c.newTimeline();
  c.expectOk(c.queue().dispatch(trap(c), {.signal = {{done, 1}}}), "dispatch");
  Status status = c.wait(done, 1);
  c.expectCode(status, StatusCode::kDeviceFault, "the fault");
  c.expect(status.message().find("trap") != std::string::npos,
           "the message names the dispatch: " + status.message());
  c.expectCode(done->query().status(), StatusCode::kDeviceFault, "query");
}

void faultTravelsToWaiters(Case &c) {
  auto first = c.newTimeline();
  auto second = c.newTimeline();
  auto out = c.bufferOf(zeros(64));
  c.expectOk(
      c.queue(c.otherQueue())
          .fill({out}, 1, 1, {.wait = {{first, 1}}, .signal = {{second, 1}}}),
      "fill");
  c.expectOk(c.queue().dispatch(trap(c), {.signal = {{first, 1}}}), "dispatch");
  c.expectCode(c.wait(second, 1), StatusCode::kDeviceFault, "what waited");
  c.expectBytes(c.read(out), zeros(64), "bytes");
}

void nothingRunsAfterAFault(Case &c) {
  auto out = c.bufferOf(zeros(64));
  auto recording = *c.device()->createRecording();
  c.expectOk(recording->dispatch(trap(c)), "dispatch");
  c.expectOk(recording->barrier(), "barrier");
  c.expectOk(recording->fill(BufferRange{out}, 1, 1), "fill");
  c.expectOk(recording->finish(), "finish");
  auto done = c.newTimeline();
  c.expectOk(c.queue().submit(recording, {}, {.signal = {{done, 1}}}),
             "submit");
  c.expectCode(c.wait(done, 1), StatusCode::kDeviceFault, "the fault");
  c.expectBytes(c.read(out), zeros(64), "bytes behind the fault");
}

void deviceSurvivesFaults(Case &c) {
  for (int i = 0; i < 3; ++i) {
    auto done = c.newTimeline();
    c.expectOk(c.queue().dispatch(trap(c), {.signal = {{done, 1}}}),
               "dispatch");
    c.expectCode(c.wait(done, 1), StatusCode::kDeviceFault, "the fault");
  }
  expectUsable(c);
}

void budgetEndsWhatHangs(Case &c) {
  DeviceOptions options = c.setup().options;
  options.budgetCycles = 20000;
  options.budgetMillis = 20;
  auto device = c.makeDevice(options);
  if (!device) {
    return;
  }
  KernelImage image = c.setup().kit.kernel("spin");
  auto program = device->loadProgram(image.image);
  auto buffer = device->allocate({.size = 64});
  if (!c.expectOk(program.status(), "load") ||
      !c.expectOk(buffer.status(), "allocate")) {
    return;
  }
  DispatchInfo info{*program, image.entry, 100000};
  auto done = c.newTimeline();
  c.expectOk(device->queue(0)->dispatch(info, {.signal = {{done, 1}}}),
             "dispatch");
  c.expectCode(c.wait(done, 1), StatusCode::kBudgetExceeded, "the budget");
  auto after = c.newTimeline();
  c.expectOk(device->queue(0)->fill({*buffer}, 0, 4, {.signal = {{after, 1}}}),
             "fill afterwards");
  c.expectOk(c.wait(after, 1), "fill afterwards");
}

void lostDeviceSaysSo(Case &c) {
  auto out = c.bufferOf(zeros(64));
  DispatchInfo info = c.dispatch("lose", {{out}}, {});
  auto done = c.newTimeline();
  c.expectOk(c.queue().dispatch(info, {.signal = {{done, 1}}}), "dispatch");
  c.expectCode(c.wait(done, 1), StatusCode::kDeviceLost, "the loss");
  auto after = c.newTimeline();
  Status status =
      c.queue(c.otherQueue()).fill({out}, 1, 1, {.signal = {{after, 1}}});
  c.expectCode(status, StatusCode::kDeviceLost, "work after the loss");
}

void lossReachesPendingWork(Case &c) {
  auto out = c.bufferOf(zeros(64));
  DispatchInfo info = c.dispatch("lose", {{out}}, {});
  auto gate = c.newTimeline();
  auto pending = c.newTimeline();
  auto done = c.newTimeline();
  c.expectOk(c.queue().fill({out}, 1, 1,
                            {.wait = {{gate, 1}}, .signal = {{pending, 1}}}),
             "fill");
  c.expectOk(c.queue().dispatch(info, {.signal = {{done, 1}}}), "dispatch");
  c.expectCode(c.wait(done, 1), StatusCode::kDeviceLost, "the loss");
  c.expectOk(gate->signal(1), "gate");
  c.expectCode(c.wait(pending, 1), StatusCode::kDeviceLost, "pending work");
  auto fresh = c.makeDevice(c.setup().options);
  c.expect(fresh != nullptr, "a new device can be made after a loss");
}

} // namespace

void addFaultBodies(std::vector<Body> &bodies) {
  bodies.insert(bodies.end(),
                {{"FaultFailsItsSignals", faultFailsItsSignals},
                 {"FaultTravelsToWaiters", faultTravelsToWaiters},
                 {"NothingRunsAfterAFault", nothingRunsAfterAFault},
                 {"DeviceSurvivesFaults", deviceSurvivesFaults},
                 {"BudgetEndsWhatHangs", budgetEndsWhatHangs},
                 {"LostDeviceSaysSo", lostDeviceSaysSo},
                 {"LossReachesPendingWork", lossReachesPendingWork}});
}

} // namespace kiln::hal::conformance
