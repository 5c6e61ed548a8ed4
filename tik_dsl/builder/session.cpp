// SPDX-License-Identifier: Apache-2.0
//
// The functions of the table: thunks to the KernelBuilder, and the few that
// answer in the other phases.
#include "tik_dsl/builder/session.h"

#include "tik_dsl/builder/kernel_builder.h"

namespace kiln::tik {

namespace {

Session &sessionOf(void *self) { return *static_cast<Session *>(self); }

std::string textOf(const char *text) { return text ? text : ""; }

void wrongPhase(Session &session, const char *what) {
  session.messages.add(Mistake::kWrongVerb, {},
                       std::string(what) + " was called in another phase");
}

//===----------------------------------------------------------------------===//
// Declaration
//===----------------------------------------------------------------------===//

OperatorDecl *declOf(void *self) {
  Session &session = sessionOf(self);
  if (session.decl == nullptr) {
    wrongPhase(session, "a function of the declaration");
  }
  return session.decl;
}

void declareOperator(void *self, const char *name, const char *summary) {
  if (OperatorDecl *decl = declOf(self)) {
    if (!decl->name.empty()) {
      sessionOf(self).messages.add(Mistake::kDeclaredTwice, decl->line,
                                   "name: the operator is called '" +
                                       decl->name + "' already");
    }
    decl->name = textOf(name);
    decl->nameLine = decl->line;
    decl->summary = textOf(summary);
  }
}

void declareTensor(void *self, uint32_t isOutput, const char *name,
                   uint32_t type, const char *typeSymbol, uint32_t rank,
                   const char *const *dims, double low, double high) {
  OperatorDecl *decl = declOf(self);
  if (decl == nullptr) {
    return;
  }
  TensorDecl tensor{
      isOutput != 0, textOf(name), elementTypeOf(type), textOf(typeSymbol), {},
      low,           high,         decl->line};
  for (uint32_t i = 0; i < rank; ++i) {
    tensor.dims.push_back(textOf(dims[i]));
  }
  // Bindings are the inputs, then the outputs, each as declared.
  auto at = decl->tensors.end();
  if (!isOutput) {
    at = std::find_if(decl->tensors.begin(), decl->tensors.end(),
                      [](const TensorDecl &t) { return t.isOutput; });
  }
  decl->tensors.insert(at, std::move(tensor));
}

void declareAttribute(void *self, const char *name, uint32_t count,
                      const int64_t *legal) {
  if (OperatorDecl *decl = declOf(self)) {
    decl->attributes.push_back(
        {textOf(name), {legal, legal + count}, false, decl->line});
  }
}

void declareTypeValues(void *self, const char *name) {
  if (OperatorDecl *decl = declOf(self)) {
    for (AttributeDecl &attribute : decl->attributes) {
      attribute.holdsTypes |= attribute.name == textOf(name);
    }
  }
}

SettingList settingsOf(uint32_t count, const char *const *names,
                       const int64_t *values) {
  SettingList settings;
  for (uint32_t i = 0; i < count; ++i) {
    settings.emplace_back(textOf(names[i]), values[i]);
  }
  return settings;
}

void declareShape(void *self, uint32_t isEdge, uint32_t count,
                  const char *const *names, const int64_t *values) {
  if (OperatorDecl *decl = declOf(self)) {
    decl->cases.push_back(
        {isEdge != 0, settingsOf(count, names, values), decl->line});
  }
}

void declareToleranceAt(void *self, uint32_t type, double relative,
                        double absolute, const char *source, uint32_t count,
                        const char *const *names, const int64_t *values) {
  if (OperatorDecl *decl = declOf(self)) {
    decl->tolerances.push_back({elementTypeOf(type), relative, absolute,
                                textOf(source),
                                settingsOf(count, names, values), decl->line});
  }
}

void declareTolerance(void *self, uint32_t type, double relative,
                      double absolute, const char *source) {
  declareToleranceAt(self, type, relative, absolute, source, 0, nullptr,
                     nullptr);
}

void declareDomain(void *self, const char *domain) {
  if (OperatorDecl *decl = declOf(self)) {
    decl->domain = textOf(domain);
  }
}

void declareLine(void *self, const KilnTikLine *line) {
  Session &session = sessionOf(self);
  session.note(line);
  if (session.decl != nullptr) {
    session.decl->line = AuthorLine::of(line);
  } else if (session.host.empty()) {
    wrongPhase(session, "a function of the declaration");
  }
}

void declareDynamic(void *self, const char *symbol, int64_t least,
                    int64_t most) {
  if (OperatorDecl *decl = declOf(self)) {
    decl->dynamics.push_back({textOf(symbol), least, most, decl->line});
  }
}

void declareMacs(void *self, uint32_t count, const char *const *names) {
  if (OperatorDecl *decl = declOf(self)) {
    for (uint32_t i = 0; i < count; ++i) {
      decl->macs.push_back(textOf(names[i]));
      decl->macsLine = decl->line;
    }
  }
}

void declareBody(void *self, const char *text, const KilnTikLine *line) {
  OperatorDecl *decl = declOf(self);
  if (decl == nullptr) {
    return;
  }
  const AuthorLine at = AuthorLine::of(line);
  if (decl->body) {
    sessionOf(self).messages.add(Mistake::kSecondBody, at,
                                 "body: the operator has one already");
    return;
  }
  decl->body = BodyDecl{textOf(text), at};
}

void declareNoKernel(void *self) {
  if (OperatorDecl *decl = declOf(self)) {
    decl->hasKernel = false;
  }
}

//===----------------------------------------------------------------------===//
// Reference and surroundings
//===----------------------------------------------------------------------===//

void hostTensor(void *self, const char *name, KilnTikHostTensor *out) {
  Session &session = sessionOf(self);
  *out = {};
  if (session.shape == nullptr || session.host.empty()) {
    wrongPhase(session, "a tensor of the reference");
    return;
  }
  const auto &tensors = session.shape->tensors;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name == textOf(name)) {
      out->data = session.host[i].data();
      out->rank = static_cast<uint32_t>(tensors[i].dims.size());
      std::copy(tensors[i].dims.begin(), tensors[i].dims.end(), out->dims);
      return;
    }
  }
  std::string names;
  for (const BoundTensor &tensor : tensors) {
    names += (names.empty() ? "'" : ", '") + tensor.name + "'";
  }
  session.messages.add(Mistake::kUnknownName, session.lastLine(),
                       "reference: '" + textOf(name) +
                           "' is not declared; there are " + names);
}

void noElement(void *self, const double *data, int64_t index,
               const KilnTikLine *line) {
  Session &session = sessionOf(self);
  std::string who = "the tensor";
  size_t elements = 0;
  for (size_t i = 0; i < session.host.size() && session.shape; ++i) {
    if (session.host[i].data() == data) {
      who = "'" + session.shape->tensors[i].name + "'";
      elements = session.host[i].size();
    }
  }
  session.messages.add(Mistake::kNoElement, AuthorLine::of(line),
                       "reference: " + who + " has no element " +
                           std::to_string(index) + "; it has " +
                           std::to_string(elements) + ", from 0 on");
}

int64_t attribute(void *self, const char *name, const KilnTikLine *line) {
  Session &session = sessionOf(self);
  if (session.shape != nullptr) {
    const auto value = session.shape->values.find(textOf(name));
    if (value != session.shape->values.end()) {
      if (session.op != nullptr && session.op->dynamic(value->first)) {
        session.messages.add(Mistake::kDynamicAsNumber, AuthorLine::of(line),
                             "attribute: the launch gives '" + value->first +
                                 "'; one kernel serves all its sizes");
      }
      return value->second;
    }
  }
  session.messages.add(Mistake::kUnknownAttribute, AuthorLine::of(line),
                       "'" + textOf(name) +
                           "' is neither an attribute nor a dimension");
  return 1;
}

void reportMistake(void *self, uint32_t number, const char *text,
                   const KilnTikLine *line) {
  Session &session = sessionOf(self);
  const bool thrown = number == static_cast<uint32_t>(Mistake::kException);
  session.messages.add(
      number, line ? AuthorLine::of(line) : session.lastLine(),
      (thrown ? "the operator's code threw an exception: " : "") +
          textOf(text));
}

//===----------------------------------------------------------------------===//
// Knobs and the machine
//===----------------------------------------------------------------------===//

void declareKnob(void *self, const char *name, uint32_t count,
                 const int64_t *values, const KilnTikLine *line) {
  Session &session = sessionOf(self);
  if (session.knobs == nullptr) {
    wrongPhase(session, "the declaration of a knob");
    return;
  }
  session.knobs->push_back(
      {textOf(name), {values, values + count}, AuthorLine::of(line)});
}

int64_t knob(void *self, const char *name, const KilnTikLine *line) {
  Session &session = sessionOf(self);
  if (session.setting == nullptr) {
    wrongPhase(session, "a knob of the kernel");
    return 1;
  }
  const std::string asked = textOf(name);
  for (size_t i = 0; i < session.setting->size(); ++i) {
    const auto &[known, value] = (*session.setting)[i];
    if (known == asked) {
      session.isKnobRead[i] = true;
      return value;
    }
  }
  session.messages.add(Mistake::kUnknownKnob, AuthorLine::of(line),
                       "knob: '" + asked + "' is not declared; " +
                           knobNames(*session.setting));
  return 1;
}

uint32_t cores(void *self) {
  Session &session = sessionOf(self);
  if (session.arch == nullptr) {
    wrongPhase(session, "cores()");
  }
  return session.cores;
}

int64_t capacity(void *self, uint32_t space) {
  Session &session = sessionOf(self);
  if (session.arch == nullptr) {
    wrongPhase(session, "capacity()");
    return 0;
  }
  return space > KILN_TIK_GM && space < isa::kNumSpaces
             ? static_cast<int64_t>(session.arch->arch.capacityBytes[space])
             : 0;
}

//===----------------------------------------------------------------------===//
// Thunks
//===----------------------------------------------------------------------===//

bool tooMany(Session &session) {
  if (++session.calls == Session::kMostCalls) {
    session.messages.add(Mistake::kManyCalls, session.lastLine(),
                         "the kernel makes more than " +
                             std::to_string(Session::kMostCalls) + " calls");
  }
  return session.calls >= Session::kMostCalls;
}

/// While it lives, what happens is Kiln's.
class InKiln {
public:
  explicit InKiln(CallState &state) : state_(state) { state_.isInKiln = true; }
  ~InKiln() { state_.isInKiln = false; }

private:
  CallState &state_;
};

void noteLine(Session &session, const KilnTikLine *line) { session.note(line); }
template <typename T> void noteLine(Session &, const T &) {}

template <auto Method> struct Call;

/// A function of the table that calls a method of the builder.
template <typename R, typename... A, R (KernelBuilder::*Method)(A...)>
struct Call<Method> {
  static R thunk(void *self, A... arguments) {
    Session &session = sessionOf(self);
    if (session.kernel != nullptr) {
      (noteLine(session, arguments), ...);
      if (tooMany(session)) {
        return R();
      }
      const InKiln inKiln(session.state);
      return (session.kernel->*Method)(arguments...);
    }
    wrongPhase(session, "a function of the kernel");
    return R();
  }
};

void fillCalls(KilnTikTable &t) {
#define CALL(name) t.name = Call<&KernelBuilder::name>::thunk;
#include "tik_dsl/builder/table_calls.inc"
#undef CALL
}

} // namespace

KilnTikTable tableOf(Session &session) {
  KilnTikTable t{};
  t.size = sizeof(KilnTikTable);
  t.version = 7;
  t.self = &session;
  t.declareOperator = declareOperator;
  t.declareTensor = declareTensor;
  t.declareAttribute = declareAttribute;
  t.declareShape = declareShape;
  t.declareTolerance = declareTolerance;
  t.declareToleranceAt = declareToleranceAt;
  t.declareTypeValues = declareTypeValues;
  t.declareMacs = declareMacs;
  t.declareDomain = declareDomain;
  t.declareLine = declareLine;
  t.declareDynamic = declareDynamic;
  t.declareBody = declareBody;
  t.declareNoKernel = declareNoKernel;
  t.hostTensor = hostTensor;
  t.attribute = attribute;
  t.mistake = reportMistake;
  t.cores = cores;
  t.declareKnob = declareKnob;
  t.knob = knob;
  t.capacity = capacity;
  t.noElement = noElement;
  fillCalls(t);
  return t;
}

namespace {

Status answer(Session &session, KilnTikEntry entry, KilnTikVerb verb,
              const std::string &file, bool mayBeUnknown) {
  constexpr const char *kPhases[] = {"declare()", "kernel()", "reference()",
                                     "knobs()"};
  session.file = file;
  session.state.file = session.file.c_str();
  session.state.phase = kPhases[verb];
  session.state.isReference = verb == KILN_TIK_REFERENCE;
  const KilnTikTable table = tableOf(session);
  const KilnTikRequest request{sizeof(KilnTikRequest),
                               static_cast<uint32_t>(verb), &table};
  int32_t code = 0;
  {
    const WatchedCall watched(session.watch, session.state);
    code = entry(&request);
  }
  switch (code) {
  case KILN_TIK_DONE:
    return Status::ok();
  case KILN_TIK_TABLE_TOO_SHORT:
    return Status(StatusCode::kUnsupported,
                  file + ": the operator was compiled with newer headers than "
                         "this Kiln; compile it again");
  default:
    return mayBeUnknown
               ? Status::ok()
               : Status(StatusCode::kUnsupported,
                        file + ": the operator does not know a request of "
                               "this Kiln; compile it again");
  }
}

} // namespace

void Session::note(const KilnTikLine *line) {
  // Code of a library that the operator calls counts as its caller's.
  if (line && line->file && !(kernel && kernel->isCalled())) {
    state.last = *line;
  }
}

AuthorLine Session::lastLine() const {
  return state.last.file ? AuthorLine::of(&state.last) : AuthorLine{file, 0, 0};
}

Status Session::call(KilnTikEntry entry, KilnTikVerb verb,
                     const std::string &file) {
  return answer(*this, entry, verb, file, /*mayBeUnknown=*/false);
}

Status Session::ask(KilnTikEntry entry, KilnTikVerb verb,
                    const std::string &file) {
  return answer(*this, entry, verb, file, /*mayBeUnknown=*/true);
}

} // namespace kiln::tik
