// SPDX-License-Identifier: Apache-2.0
#include "compiler/schedule/schedule.h"

#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kiln::schedule {

const Level *Schedule::level(std::string_view name) const {
  for (const Level &l : levels) {
    if (l.name == name) {
      return &l;
    }
  }
  return nullptr;
}

int64_t Schedule::depth(std::string_view operand, isa::Space space) const {
  for (const Placement &p : placements) {
    if (p.operand == operand && p.space == space) {
      return p.depth;
    }
  }
  return 1;
}

bool Schedule::places(std::string_view operand, isa::Space space) const {
  for (const Placement &p : placements) {
    if (p.operand == operand && p.space == space) {
      return true;
    }
  }
  return false;
}

std::string print(const Schedule &schedule) {
  std::string text = schedule.family + ":";
  const char *separator = " ";
  for (const Level &l : schedule.levels) {
    text += fmt::format("{}{}[{}]", separator, l.name, fmt::join(l.tile, ","));
    if (!l.order.empty()) {
      text += fmt::format(" order[{}]", fmt::join(l.order, ","));
    }
    separator = "; ";
  }
  for (const Placement &p : schedule.placements) {
    text += fmt::format("{}{}@{}x{}", separator, p.operand, isa::name(p.space),
                        p.depth);
    separator = "; ";
  }
  return text;
}

namespace {

Status corrupt(std::string_view piece, std::string_view expected) {
  return {StatusCode::kCorrupt,
          fmt::format("schedule: '{}': expected {}", piece, expected)};
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') {
    s.remove_prefix(1);
  }
  while (!s.empty() && s.back() == ' ') {
    s.remove_suffix(1);
  }
  return s;
}

Result<int64_t> parseInt(std::string_view s) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size() || value < 0) {
    return corrupt(s, "a number that is not negative");
  }
  return value;
}

/// "name[1,2]": the name and the numbers.
Result<Level> parseList(std::string_view s) {
  size_t open = s.find('[');
  if (open == std::string_view::npos || s.back() != ']' || open == 0) {
    return corrupt(s, "name[sizes]");
  }
  Level level{std::string(s.substr(0, open)), {}, {}};
  std::string_view list = s.substr(open + 1, s.size() - open - 2);
  while (!list.empty()) {
    size_t comma = list.find(',');
    KILN_ASSIGN_OR_RETURN(int64_t value, parseInt(list.substr(0, comma)));
    level.tile.push_back(value);
    if (comma == std::string_view::npos) {
      break;
    }
    list.remove_prefix(comma + 1);
    if (list.empty()) {
      return corrupt(s, "a number after the comma");
    }
  }
  return level;
}

Result<Level> parseLevel(std::string_view s) {
  size_t space = s.find(' ');
  KILN_ASSIGN_OR_RETURN(Level level, parseList(s.substr(0, space)));
  if (space != std::string_view::npos) {
    KILN_ASSIGN_OR_RETURN(Level order, parseList(trim(s.substr(space))));
    if (order.name != "order") {
      return corrupt(s, "order[loops]");
    }
    level.order = order.tile;
  }
  return level;
}

Result<Placement> parsePlacement(std::string_view s) {
  size_t at = s.find('@');
  size_t times = s.rfind('x');
  if (at == 0 || times == std::string_view::npos || times < at) {
    return corrupt(s, "operand@SPACExDEPTH");
  }
  Placement p{std::string(s.substr(0, at)), isa::Space::UB, 1};
  std::string_view space = s.substr(at + 1, times - at - 1);
  bool found = false;
  for (unsigned i = 0; i < isa::kNumSpaces; ++i) {
    if (isa::kSpaceNames[i] == space) {
      p.space = static_cast<isa::Space>(i);
      found = true;
    }
  }
  if (!found) {
    return corrupt(space, "a memory space");
  }
  KILN_ASSIGN_OR_RETURN(p.depth, parseInt(s.substr(times + 1)));
  return p;
}

} // namespace

Result<Schedule> parse(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return corrupt(text, "family: levels; placements");
  }
  Schedule s;
  s.family = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 1);
  while (!trim(rest).empty()) {
    size_t end = rest.find(';');
    std::string_view piece = trim(rest.substr(0, end));
    if (piece.empty()) {
      return corrupt(rest, "a level or a placement");
    }
    if (piece.find('@') != std::string_view::npos) {
      KILN_ASSIGN_OR_RETURN(Placement p, parsePlacement(piece));
      s.placements.push_back(p);
    } else {
      KILN_ASSIGN_OR_RETURN(Level l, parseLevel(piece));
      s.levels.push_back(l);
    }
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return s;
}

uint64_t hash(const Schedule &schedule) {
  uint64_t h = 0xcbf29ce484222325u;
  for (char c : print(schedule)) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return h;
}

} // namespace kiln::schedule
