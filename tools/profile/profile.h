// SPDX-License-Identifier: Apache-2.0
//
// Profile: the traced launches of one run, for people: as text, as JSON, as a
// page for a browser, as a Perfetto file.
//
//   Profile profile(machine, "npu:cycle", "digits.onnx");
//   profile.add({.title = "conv1", .op = "Conv", .trace = &trace});
//   writeFile("p.html", profile.html());
//
// Every figure comes from the traces. The page is one file that loads nothing.
#pragma once

#include "simulator/trace/explain.h"
#include "simulator/trace/perfetto_writer.h"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace kiln::tools {

/// A layer of the run; without a trace it ran elsewhere (on the host).
struct ProfiledLayer {
  std::string title;                 // node, kernel or file
  std::string op;                    // of a model: the ONNX operator
  std::string program;               // of a model: the kind of program
  const sim::Trace *trace = nullptr; // borrowed during add()
};

class Profile {
public:
  /// `sourceFolder`: where the files that lines are of may lie.
  Profile(const isa::ArchSpec &machine, std::string device, std::string title,
          std::string sourceFolder = {});

  void add(const ProfiledLayer &layer);

  uint64_t cycles() const { return cycles_; }
  /// What explain() found for the layers with a trace, heaviest first.
  std::string explanationText(size_t layers = 1) const;
  std::string text() const; // layers, pipes and stalls
  nlohmann::json json() const;
  std::string html() const;
  const std::string &perfetto() const { return perfetto_.bytes(); }

private:
  struct Launch {
    std::string title;
    sim::Explanation explanation;
    nlohmann::json page; // what the page shows, with the timeline
  };
  nlohmann::json timelineOf(const sim::Trace &trace, nlohmann::json &names);

  const isa::ArchSpec &machine_;
  std::string device_, title_, sourceFolder_;
  uint64_t cycles_ = 0;
  uint64_t slices_ = 0; // in the page so far
  sim::PerfettoWriter perfetto_;
  std::vector<Launch> launches_;
  nlohmann::json layers_ = nlohmann::json::array();
};

/// The busy share of every pipe as a bar, and what it waited for most.
std::string pipeBars(const sim::Trace &trace, uint64_t kernelCycles);

} // namespace kiln::tools
