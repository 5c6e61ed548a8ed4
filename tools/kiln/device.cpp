// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/device.h"

#include "hal/drivers/all/all.h"

namespace kiln::tools {
namespace {

/// Checks that never ran must not look like checks that found nothing.
Status checkForSimulator(const DeviceChoice &choice) {
  const char *given = !choice.checks.empty()    ? "--check"
                      : choice.order != "eager" ? "--order"
                      : choice.budget != 0      ? "--budget"
                                                : nullptr;
  if (!given || choice.device.starts_with("npu:")) {
    return Status::ok();
  }
  return {StatusCode::kInvalidArgument,
          std::string(given) +
              " needs --device npu:functional or npu:cycle, "
              "not '" +
              choice.device + "'"};
}

} // namespace

Status registerDrivers(hal::Instance &instance, hal::LaunchTracer *tracer) {
  return hal::registerAllDrivers(instance, tracer);
}

void addDeviceOptions(CLI::App &verb, DeviceChoice &choice) {
  verb.add_option("--device", choice.device,
                  "cpu, null, npu:functional or npu:cycle (kiln devices)")
      ->capture_default_str();
  verb.add_option("--machine", choice.machine, "name or machine file");
  verb.add_option("--cores", choice.cores, "cores of the machine to use")
      ->check(atLeastOne());
  verb.add_option("--threads", choice.threads,
                  "host threads of cpu and npu:cycle")
      ->check(atLeastOne());
  verb.add_option("--order", choice.order,
                  "npu:functional: eager, lazy or random:SEED");
  verb.add_option("--check", choice.checks, "npu: of race,init,bounds,flags")
      ->delimiter(',');
  verb.add_option("--budget", choice.budget,
                  "npu: cycles per dispatch before it is a fault");
  verb.add_flag("--no-native", choice.noNative,
                "refuse to load native (cpu) code");
}

Result<OpenDevice> openDevice(const DeviceChoice &choice) {
  KILN_RETURN_IF_ERROR(checkForSimulator(choice));
  hal::DeviceOptions options;
  if (!choice.machine.empty()) {
    options.machine = choice.machine;
  }
  options.cores = choice.cores;
  options.threads = choice.threads;
  options.order = choice.order;
  options.checks = choice.checks;
  options.budgetCycles = choice.budget;
  options.allowNative = !choice.noNative;
  options.data = !choice.dataOff;
  OpenDevice opened{std::make_unique<hal::Instance>(), nullptr};
  KILN_RETURN_IF_ERROR(registerDrivers(*opened.instance, choice.tracer));
  KILN_ASSIGN_OR_RETURN(opened.device,
                        opened.instance->createDevice(choice.device, options));
  return opened;
}

std::string targetOf(const std::string &device) {
  return device.substr(0, device.find(':'));
}

} // namespace kiln::tools
