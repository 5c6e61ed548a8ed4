// SPDX-License-Identifier: Apache-2.0
//
// `kiln devices`: the devices of this build and the machines it knows.
#include "tools/kiln/device.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

std::string capacityText(uint64_t bytes) {
  constexpr uint64_t kKi = 1024, kMi = kKi * kKi, kGi = kMi * kKi;
  if (bytes >= kGi) {
    return fmt::format("{} GiB", bytes / kGi);
  }
  if (bytes > kMi) {
    return fmt::format("{} MiB", bytes / kMi);
  }
  return fmt::format("{} KiB", bytes / kKi);
}

nlohmann::json machineJson(const isa::ArchSpec &m) {
  nlohmann::json capacity = nlohmann::json::object();
  for (unsigned s = 0; s < isa::kNumSpaces; ++s) {
    capacity[std::string(isa::kSpaceNames[s])] = m.arch.capacityBytes[s];
  }
  return {{"name", m.name},
          {"hash", m.hash},
          {"cores", m.arch.cores},
          {"clock_hz", m.timing.clockHz},
          {"capacity_bytes", capacity},
          {"fp16_macs_per_cycle", m.peakMacsPerCycle(isa::ElementType::F16)},
          {"fp32_macs_per_cycle", m.peakMacsPerCycle(isa::ElementType::F32)}};
}

std::string machineText(const isa::ArchSpec &m) {
  std::string text = fmt::format(
      "  {:8} {} cores at {} MHz, {:g} fp16 multiply-accumulates per cycle "
      "and core\n          ",
      m.name, m.arch.cores, m.timing.clockHz / 1000000,
      m.peakMacsPerCycle(isa::ElementType::F16));
  for (unsigned s = 0; s < isa::kNumSpaces; ++s) {
    text += fmt::format("{} {}{}", isa::kSpaceNames[s],
                        capacityText(m.arch.capacityBytes[s]),
                        s + 1 < isa::kNumSpaces ? ", " : "\n");
  }
  return text + fmt::format("          hash {}\n", m.hash.substr(0, 16));
}

Status listDevices(const Context &context, const std::string &file) {
  hal::Instance instance;
  KILN_RETURN_IF_ERROR(registerDrivers(instance));
  std::string text = "devices:\n";
  nlohmann::json json = {{"devices", nlohmann::json::array()},
                         {"machines", nlohmann::json::array()}};
  for (const hal::DeviceInfo &device : instance.enumerate()) {
    text += fmt::format("  {:15} {}\n", device.name, device.summary);
    json["devices"].push_back(
        {{"name", device.name}, {"summary", device.summary}});
  }
  text += "machines:\n";
  std::vector<std::string> machines = isa::builtinMachines();
  if (!file.empty()) {
    machines = {file};
  }
  for (const std::string &name : machines) {
    KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine, isa::loadArchSpec(name));
    text += machineText(machine);
    json["machines"].push_back(machineJson(machine));
  }
  context.print(text, json);
  return Status::ok();
}

} // namespace

void addDevices(CLI::App &app, Context &context) {
  CLI::App *verb =
      addVerb(app, context, "devices", "list devices and machine descriptions",
              "kiln devices --json");
  auto file = std::make_shared<std::string>();
  verb->add_option("--machine", *file, "only this machine (name or file)");
  setAction(*verb, context, file, listDevices);
}

} // namespace kiln::tools
