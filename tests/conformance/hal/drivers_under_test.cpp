// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/drivers_under_test.h"

#include "hal/drivers/cpu/cpu_driver.h"
#include "hal/drivers/npu/npu_driver.h"
#include "hal/drivers/null/null_driver.h"
#include "hal/validation/validation.h"
#include "tests/conformance/hal/faulty_device.h"
#include "tests/conformance/hal/reference_driver.h"

namespace kiln::hal::conformance {
namespace {

using MakeDriver = std::unique_ptr<Driver> (*)();

/// Devices of a driver, below the validation layer; `wrapper` (may be empty)
/// goes between them.
DeviceFactory factory(MakeDriver make, std::string device,
                      std::string wrapper = "") {
  return [make, device, wrapper](
             const DeviceOptions &options) -> Result<std::unique_ptr<Device>> {
    KILN_ASSIGN_OR_RETURN(std::shared_ptr<DriverDevice> below,
                          make()->createDevice(device, options));
    if (!wrapper.empty()) {
      below = plantBug(std::move(below), wrapper);
    }
    return std::make_unique<Device>(validated(std::move(below)));
  };
}

std::vector<Exclusion> permanent(std::string reason,
                                 std::vector<std::string> bodies) {
  std::vector<Exclusion> list;
  for (std::string &body : bodies) {
    list.push_back({Exclusion::kPermanent, std::move(body), reason});
  }
  return list;
}

void append(std::vector<Exclusion> &list, std::vector<Exclusion> more) {
  list.insert(list.end(), more.begin(), more.end());
}

const std::vector<std::string> kFaultBodies = {
    "FaultFailsItsSignals", "FaultTravelsToWaiters", "NothingRunsAfterAFault",
    "DeviceSurvivesFaults", "SessionSurvivesAFault"};
const std::vector<std::string> kLossBodies = {"LostDeviceSaysSo",
                                              "LossReachesPendingWork"};

DriverUnderTest nullDriver() {
  DriverUnderTest d{"null", {factory(makeNullDriver, "null"), nullKit()}, {}};
  append(
      d.exclusions,
      permanent("the null driver executes no programs",
                {"DispatchRunsOneBlock", "DispatchRunsEveryBlock",
                 "KernelsSeeTheirArguments", "BindingsStartAtTheirOffset",
                 "EntriesAreTheOnesNamed", "DispatchRunsOnce",
                 "DispatchesDoNotShareConstants", "ManyProgramsStayLoaded",
                 "ProgramsLiveUntilTheirWorkEnds", "DispatchesAndTransfersMix",
                 "LongRecordingRunsCompletely", "SessionRunsAPackage",
                 "SessionDumpsEachLayer", "CyclesAddUp", "ThreadsChangeNothing",
                 "BudgetEndsWhatHangs"}));
  append(d.exclusions,
         permanent("the null driver takes any program",
                   {"CorruptProgramsAreRefused", "UnfitProgramsAreRefused"}));
  append(d.exclusions,
         permanent("nothing faults that is not executed", kFaultBodies));
  append(d.exclusions, permanent("host memory is never lost", kLossBodies));
  return d;
}

DriverUnderTest cpuDriver(std::string name, uint32_t threads,
                          std::string wrapper = "") {
  DriverUnderTest d{
      std::move(name), {factory(makeCpuDriver, "cpu", wrapper), cpuKit()}, {}};
  d.setup.options.threads = threads;
  append(d.exclusions,
         permanent("native code has no modelled faults: a fault of it is the "
                   "process's",
                   kFaultBodies));
  append(d.exclusions, permanent("this CPU cannot be lost", kLossBodies));
  append(d.exclusions,
         permanent("native code does not model time", {"CyclesAddUp"}));
  return d;
}

DriverUnderTest npuDriver(std::string name, const std::string &device,
                          DeviceOptions options = {}) {
  auto make = [] { return makeNpuDriver(); };
  DriverUnderTest d{std::move(name), {factory(make, device), npuKit()}, {}};
  d.setup.options = std::move(options);
  append(d.exclusions,
         permanent("the simulated device cannot be lost", kLossBodies));
  if (device == "npu:functional") {
    append(d.exclusions, permanent("untimed", {"CyclesAddUp"}));
  }
  return d;
}

DriverUnderTest referenceDriver(std::string name, std::string wrapper = "") {
  return {std::move(name),
          {factory(makeReferenceDriver, "reference", wrapper), nullKit()},
          {}};
}

} // namespace

const Exclusion *DriverUnderTest::exclusionOf(const std::string &body) const {
  for (const Exclusion &exclusion : exclusions) {
    if (exclusion.body == body) {
      return &exclusion;
    }
  }
  return nullptr;
}

const std::vector<DriverUnderTest> &driversUnderTest() {
  static const std::vector<DriverUnderTest> kDrivers = {
      referenceDriver("reference"),
      referenceDriver("reference_reordered", "reorders-legally"),
      nullDriver(),
      cpuDriver("cpu", 1),
      cpuDriver("cpu_threads", 3),
      cpuDriver("cpu_reordered", 1, "reorders-legally"),
      npuDriver("npu_functional", "npu:functional"),
      npuDriver("npu_lazy", "npu:functional", {.order = "lazy"}),
      npuDriver("npu_random_checked", "npu:functional",
                {.cores = 2,
                 .order = "random:7",
                 .checks = {"race", "init", "bounds", "flags"}}),
      npuDriver("npu_cycle", "npu:cycle"),
      npuDriver("npu_cycle_cores", "npu:cycle", {.cores = 4}),
      npuDriver("npu_cycle_threads", "npu:cycle", {.cores = 2, .threads = 2}),
      npuDriver("npu_nano", "npu:cycle", {.machine = "k1-nano"}),
  };
  return kDrivers;
}

CaseSetup setupWithBug(const std::string &bug) {
  return {factory(makeReferenceDriver, "reference", bug), nullKit()};
}

} // namespace kiln::hal::conformance
