// SPDX-License-Identifier: Apache-2.0
#include "tools/profile/profile.h"

#include "simulator/trace/energy.h"
#include "tools/profile/page_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace kiln::tools {

using isa::Pipe;
using isa::Space;
using sim::PipeState;
using sim::Stall;

namespace {

// Slices of all timelines in one page; about 15 bytes each.
constexpr uint64_t kMostSlices = 400'000;

/// Operands of the products most of the trace is made of.
isa::ElementType precisionOf(const sim::EventCounts &e) {
  if (e.macs8 > e.macs16 && e.macs8 > e.macs32) {
    return isa::ElementType::I8;
  }
  return e.macs32 > e.macs16 ? isa::ElementType::F32 : isa::ElementType::F16;
}

nlohmann::json pipesJson(const sim::Trace &trace) {
  nlohmann::json pipes = nlohmann::json::array();
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    const sim::PipeCycles &c = trace.report.pipes[p];
    nlohmann::json stalls = nlohmann::json::object();
    for (unsigned s = 0; s < sim::kNumStalls; ++s) {
      stalls[std::string(sim::kStallNames[s])] = c.stall[s];
    }
    pipes.push_back({{"name", isa::kPipeNames[p]},
                     {"busy", c.busy},
                     {"idle", c.idle},
                     {"bank_cycles", c.bankCycles},
                     {"stalls", stalls}});
  }
  return pipes;
}

nlohmann::json pathsJson(const sim::Trace &trace) {
  nlohmann::json paths = nlohmann::json::array();
  for (const sim::PathBytes &p : trace.paths) {
    paths.push_back({{"pipe", isa::name(p.pipe)},
                     {"space", isa::name(p.space)},
                     {"write", p.write},
                     {"bytes", p.bytes}});
  }
  return paths;
}

nlohmann::json energyJson(const sim::Trace &trace) {
  nlohmann::json rows = nlohmann::json::array();
  for (const sim::EnergyRow &row : sim::energyOf(trace)) {
    rows.push_back({{"event", row.event},
                    {"count", row.count},
                    {"fj", row.femtojoules},
                    {"source", row.source}});
  }
  return rows;
}

/// What the memory system behind the ports counted.
nlohmann::json memoryJson(const sim::MemoryCounters &m) {
  return {{"l2_read_hits", m.l2ReadHits},
          {"l2_read_misses", m.l2ReadMisses},
          {"l2_reads_merged", m.l2Merged},
          {"l2_write_hits", m.l2WriteHits},
          {"l2_write_misses", m.l2WriteMisses},
          {"l2_write_backs", m.l2WriteBacks},
          {"dram_row_hits", m.rowHits},
          {"dram_row_misses", m.rowMisses},
          {"dram_row_conflicts", m.rowConflicts},
          {"dram_refreshes", m.refreshes},
          {"dram_read_bytes", m.dramReadBytes},
          {"dram_write_bytes", m.dramWriteBytes}};
}

nlohmann::json linesJson(const sim::Explanation &e, const std::string &folder) {
  nlohmann::json lines = nlohmann::json::array();
  for (const sim::LineCost &cost : e.lines) {
    lines.push_back(
        {{"place", cost.line ? cost.line->text() : std::string("(no line)")},
         {"source",
          cost.line ? sim::sourceText(*cost.line, folder) : std::string()},
         {"busy", cost.busy},
         {"waited", cost.waited},
         {"pipes", cost.pipes}});
  }
  return lines;
}

nlohmann::json explainJson(const sim::Explanation &e) {
  auto use = [](const sim::PipeUse &u) {
    return nlohmann::json{
        {"pipe", isa::name(u.pipe)}, {"busy", u.busy}, {"share", u.share}};
  };
  nlohmann::json causes = nlohmann::json::array();
  for (const sim::LostOverlap &lost : e.overlap) {
    if (causes.size() < 5) {
      causes.push_back(
          {{"cycles", lost.cycles}, {"text", sim::describe(lost)}});
    }
  }
  nlohmann::json hints = nlohmann::json::array();
  for (const sim::Hint &hint : e.hints) {
    hints.push_back({{"kind", sim::name(hint.kind)},
                     {"where", hint.where},
                     {"text", hint.text},
                     {"gain", hint.gain},
                     {"share", e.shareOf(hint.gain)}});
  }
  return {{"bound", use(e.bound())}, {"next", use(e.pipes[1])},
          {"lost", e.lost},          {"causes", causes},
          {"hints", hints},          {"model_ratio", e.modelRatio}};
}

} // namespace

Profile::Profile(const isa::ArchSpec &machine, std::string device,
                 std::string title, std::string sourceFolder)
    : machine_(machine), device_(std::move(device)), title_(std::move(title)),
      sourceFolder_(std::move(sourceFolder)) {}

/// Per core and pipe, flat: cycles since the last begin, length, name, kind (0
/// command, 1 flag or configuration, 2 stall, 3 wait for a flag), line.
nlohmann::json Profile::timelineOf(const sim::Trace &trace,
                                   nlohmann::json &names) {
  std::map<std::string, size_t> known;
  auto nameOf = [&](std::string_view text) {
    auto [at, isNew] = known.try_emplace(std::string(text), known.size());
    if (isNew) {
      names.push_back(text);
    }
    return at->second;
  };
  struct Slice {
    uint64_t begin, end;
    size_t name;
    unsigned kind, line;
  };
  nlohmann::json cores = nlohmann::json::array();
  for (uint32_t core = 0; core < trace.cores(); ++core) {
    nlohmann::json pipes = nlohmann::json::array();
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      std::vector<Slice> slices;
      for (const sim::TraceState &s :
           trace.states(core, static_cast<Pipe>(p))) {
        if (s.state != PipeState::busy() && s.state != PipeState::idle() &&
            s.state != Stall::kControl && s.state != Stall::kEmpty) {
          slices.push_back({s.begin, s.end, nameOf(s.state.name()),
                            s.state == Stall::kFlag ? 3u : 2u, 0});
        }
      }
      for (const sim::TraceCommand &c :
           trace.commands(core, static_cast<Pipe>(p))) {
        const sim::TraceInstruction &i = trace.of(c);
        slices.push_back({c.start, c.busyEnd, nameOf(i.text),
                          i.kind == sim::TraceKind::kData ? 0u : 1u,
                          i.line ? i.line->line : 0});
      }
      std::sort(slices.begin(), slices.end(), [](auto &a, auto &b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
      });
      nlohmann::json flat = nlohmann::json::array();
      uint64_t last = 0;
      for (const Slice &s : slices) {
        for (uint64_t value :
             {s.begin - last, s.end - s.begin, uint64_t{s.name},
              uint64_t{s.kind}, uint64_t{s.line}}) {
          flat.push_back(value);
        }
        last = s.begin;
      }
      pipes.push_back(std::move(flat));
    }
    cores.push_back(std::move(pipes));
  }
  return cores;
}

void Profile::add(const ProfiledLayer &layer) {
  nlohmann::json row = {
      {"title", layer.title}, {"op", layer.op},    {"program", layer.program},
      {"cycles", 0},          {"launch", nullptr}, {"macs", 0},
      {"gm_bytes", 0}};
  if (!layer.trace) {
    layers_.push_back(std::move(row));
    return;
  }
  const sim::Trace &trace = *layer.trace;
  perfetto_.add(trace, layer.title);
  Launch launch;
  launch.title = layer.title;
  launch.explanation = sim::explain(trace);
  const sim::Explanation &e = launch.explanation;
  isa::ElementType type = precisionOf(trace.events);
  double peak = machine_.peakMacsPerCycle(type);
  uint64_t slices = trace.commandCount() * 3 / 2; // with the stalls between
  nlohmann::json names = nlohmann::json::array();
  nlohmann::json timeline = nlohmann::json::array();
  if (slices_ + slices <= kMostSlices) {
    slices_ += slices;
    timeline = timelineOf(trace, names);
  }
  launch.page = {
      {"title", layer.title},
      {"cycles", trace.report.cycles},
      {"kernel_cycles", e.kernelCycles},
      {"cores", trace.cores()},
      {"instructions", trace.report.instructions},
      {"pipes", pipesJson(trace)},
      {"paths", pathsJson(trace)},
      {"memory", memoryJson(trace.report.memory)},
      {"energy", energyJson(trace)},
      {"lines", linesJson(e, sourceFolder_)},
      {"explain", explainJson(e)},
      {"roofline",
       {{"peak", peak},
        {"precision", isa::name(type)},
        {"bytes_per_cycle", machine_.timing.memory.portReadBytesPerCycle}}},
      {"slices", slices},
      {"names", names},
      {"timeline", timeline}};
  row["cycles"] = trace.report.cycles;
  row["kernel_cycles"] = e.kernelCycles;
  row["cores"] = trace.cores();
  row["macs"] = trace.report.macs;
  row["peak"] = peak;
  row["gm_bytes"] = trace.report.gmReadBytes + trace.report.gmWriteBytes;
  row["bound"] = fmt::format("{} {:.0f} %", isa::name(e.bound().pipe),
                             100 * e.bound().share);
  row["launch"] = launches_.size();
  layers_.push_back(std::move(row));
  cycles_ += trace.report.cycles;
  launches_.push_back(std::move(launch));
}

nlohmann::json Profile::json() const {
  nlohmann::json launches = nlohmann::json::array();
  for (const Launch &launch : launches_) {
    nlohmann::json entry = launch.page;
    for (const char *key : {"timeline", "names", "slices"}) {
      entry.erase(key);
    }
    launches.push_back(std::move(entry));
  }
  return {{"title", title_},
          {"device", device_},
          {"machine", machine_.name},
          {"machine_hash", machine_.hash},
          {"clock_hz", machine_.timing.clockHz},
          {"cycles", cycles_},
          {"layers", layers_},
          {"launches", launches},
          {"stalls", sim::kStallNames}};
}

std::string Profile::html() const {
  nlohmann::json data = json();
  data["launches"] = nlohmann::json::array();
  for (const Launch &launch : launches_) {
    data["launches"].push_back(launch.page);
  }
  std::string text = data.dump();
  // "</script>" inside a string would end the element.
  for (size_t at = 0; (at = text.find("</", at)) != std::string::npos;) {
    text.replace(at, 2, "<\\/");
  }
  std::string page(kPageHtml);
  auto fill = [&](std::string_view mark, const std::string &with) {
    page.replace(page.find(mark), mark.size(), with);
  };
  fill("@SCRIPT@", std::string(kPageScript));
  fill("@DATA@", text);
  return page;
}

std::string Profile::explanationText(size_t layers) const {
  std::vector<const Launch *> order;
  for (const Launch &launch : launches_) {
    order.push_back(&launch);
  }
  std::sort(order.begin(), order.end(), [](const Launch *a, const Launch *b) {
    uint64_t x = a->explanation.cycles, y = b->explanation.cycles;
    return x != y ? x > y : a < b;
  });
  order.resize(std::min(order.size(), layers));
  std::string text;
  for (const Launch *launch : order) {
    text += launch->title + "\n" +
            sim::toText(launch->explanation, 3, sourceFolder_) + "\n";
  }
  return text;
}

std::string Profile::text() const {
  std::string out = fmt::format(
      "{} on {} of {}: {} cycles, {:.1f} us\n\n{:24} {:12} {:>10} {:>7}  "
      "{}\n",
      title_, device_, machine_.name, cycles_,
      1e6 * static_cast<double>(cycles_) /
          static_cast<double>(machine_.timing.clockHz),
      "layer", "operator", "cycles", "share", "bound");
  for (const nlohmann::json &row : layers_) {
    uint64_t cycles = row["cycles"].get<uint64_t>();
    out += fmt::format(
        "{:24.24} {:12.12} {:>10} {:>7}  {}\n", row["title"].get<std::string>(),
        row["op"].get<std::string>(), cycles ? fmt::format("{}", cycles) : "",
        cycles ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(cycles) /
                                             static_cast<double>(cycles_))
               : "",
        row.value("bound", ""));
  }
  return out;
}

std::string pipeBars(const sim::Trace &trace, uint64_t kernelCycles) {
  constexpr int kWidth = 32;
  double kernel =
      static_cast<double>(std::max<uint64_t>(kernelCycles, 1)) * trace.cores();
  double launch =
      static_cast<double>(std::max<uint64_t>(trace.report.cycles, 1)) *
      trace.cores();
  std::string out = "pipe    busy, of the kernel                       "
                    "waiting most, of the launch\n";
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    const sim::PipeCycles &c = trace.report.pipes[p];
    double share = static_cast<double>(c.busy) / kernel;
    int filled = std::min(kWidth, static_cast<int>(share * kWidth + 0.5));
    out += fmt::format("  {:5} [{:#<{}}{: <{}}] {:5.1f} %", isa::kPipeNames[p],
                       "", filled, "", kWidth - filled, 100 * share);
    unsigned worst = 0;
    for (unsigned s = 0; s < sim::kNumStalls; ++s) {
      worst = c.stall[s] > c.stall[worst] ? s : worst;
    }
    if (c.busy && c.stall[worst]) {
      out += fmt::format("  {} {:.1f} %", sim::kStallNames[worst],
                         100 * static_cast<double>(c.stall[worst]) / launch);
    }
    out += "\n";
  }
  return out;
}

} // namespace kiln::tools
