// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/knobs.h"

#include "tik_dsl/builder/operator.h"
#include "tik_dsl/builder/session.h"

#include <algorithm>
#include <set>

namespace kiln::tik {

namespace {

KnobValues defaultsOf(const std::vector<KnobDecl> &knobs) {
  KnobValues values;
  for (const KnobDecl &knob : knobs) {
    values.emplace_back(knob.name, knob.values.front());
  }
  return values;
}

void checkKnobs(const std::vector<KnobDecl> &knobs, MessageList &messages) {
  std::set<std::string> names;
  for (const KnobDecl &knob : knobs) {
    const std::string who = "knob '" + knob.name + "'";
    const std::set<int64_t> values(knob.values.begin(), knob.values.end());
    const char *wrong = !isIdentifier(knob.name) ? " is not an identifier"
                        : knob.values.empty()    ? " has no value"
                        : values.size() != knob.values.size()
                            ? " has a value twice"
                        : !names.insert(knob.name).second ? " is declared twice"
                                                          : nullptr;
    if (wrong != nullptr) {
      messages.add(Mistake::kBadKnob, knob.line, who + wrong);
    }
  }
}

std::string listOf(const std::vector<int64_t> &values) {
  std::string text;
  for (int64_t value : values) {
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  }
  return text;
}

} // namespace

std::string settingText(const KnobValues &setting) {
  std::string text;
  for (const auto &[name, value] : setting) {
    text += (text.empty() ? "" : ",") + name + "=" + std::to_string(value);
  }
  return text;
}

std::string knobNames(const KnobValues &knobs) {
  std::string names;
  for (const auto &[name, value] : knobs) {
    names += (names.empty() ? "there are '" : ", '") + name + "'";
  }
  return names.empty() ? "there is none" : names;
}

Result<std::vector<KnobDecl>> knobsOf(const Operator &op,
                                      const BoundShape &shape,
                                      const isa::ArchSpec &arch, uint32_t cores,
                                      MessageList &messages) {
  std::vector<KnobDecl> knobs;
  messages.setFile(op.file());
  Session session(messages);
  session.knobs = &knobs;
  session.watch = op.watch();
  session.shape = &shape;
  session.op = &op.decl();
  session.arch = &arch;
  session.cores = cores;
  KILN_RETURN_IF_ERROR(session.ask(op.entry(), KILN_TIK_KNOBS, op.file()));
  checkKnobs(knobs, messages);
  if (!messages.empty()) {
    return statusOf(messages);
  }
  return knobs;
}

Result<KnobValues> resolveKnobs(const Operator &op, const BoundShape &shape,
                                const isa::ArchSpec &arch, uint32_t cores,
                                MessageList &messages) {
  KILN_ASSIGN_OR_RETURN(const std::vector<KnobDecl> knobs,
                        knobsOf(op, shape, arch, cores, messages));
  return resolveKnobs(knobs, op, shape, messages);
}

Result<KnobValues> resolveKnobs(const std::vector<KnobDecl> &knobs,
                                const Operator &op, const BoundShape &shape,
                                MessageList &messages) {
  KnobValues setting = defaultsOf(knobs);
  std::set<std::string> seen;
  for (const auto &[name, value] : shape.knobs) {
    const std::string text = name + "=" + std::to_string(value);
    const auto knob =
        std::find_if(knobs.begin(), knobs.end(),
                     [&](const KnobDecl &k) { return k.name == name; });
    if (knob == knobs.end()) {
      messages.add(Mistake::kUnknownKnobSetting, {},
                   text + ": '" + name + "' is no knob of " + op.decl().name +
                       "; " + knobNames(setting));
    } else if (!seen.insert(name).second) {
      messages.add(Mistake::kKnobTwice, {}, text + ": the knob has a value");
    } else if (std::find(knob->values.begin(), knob->values.end(), value) ==
               knob->values.end()) {
      messages.add(Mistake::kKnobValue, {},
                   text + "; possible: " + listOf(knob->values));
    } else {
      setting[static_cast<size_t>(knob - knobs.begin())].second = value;
    }
  }
  if (!messages.empty()) {
    return statusOf(messages);
  }
  return setting;
}

} // namespace kiln::tik
