// SPDX-License-Identifier: Apache-2.0
#include "hal/format/package.h"
#include "hal/format/package_index.h"
#include "isa/support/units.h"

#include <algorithm>

namespace kiln::hal {
namespace {

constexpr size_t kFixedSections = 3;

Status corrupt(std::string message) {
  return {StatusCode::kCorrupt, std::move(message)};
}

/// Any failure of the content rules means a corrupt file.
Status asCorrupt(const Status &status, std::string_view section) {
  if (status.isOk() || status.code() == StatusCode::kUnsupported) {
    return status;
  }
  return corrupt("section '" + std::string(section) + "': " + status.message());
}

// FlatBuffers leaves out empty fields: these turn an absent one into an empty
// value.

std::string text(const flatbuffers::String *s) { return s ? s->str() : ""; }

template <typename T>
std::vector<T> numbers(const flatbuffers::Vector<T> *items) {
  return items ? std::vector<T>(items->begin(), items->end())
               : std::vector<T>();
}

std::vector<std::string>
texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>
          *items) {
  std::vector<std::string> result;
  if (items) {
    for (const flatbuffers::String *item : *items) {
      result.push_back(text(item));
    }
  }
  return result;
}

/// Calls `decode` on each table of a vector.
template <typename T, typename Decode>
Status forEach(const flatbuffers::Vector<flatbuffers::Offset<T>> *items,
               Decode decode) {
  if (items) {
    for (const T *item : *items) {
      KILN_RETURN_IF_ERROR(decode(*item));
    }
  }
  return Status::ok();
}

/// Verifies the structure of a section before any access. Reads need aligned
/// memory, so the bytes are copied once.
template <typename T> class Table {
public:
  static Result<Table> open(std::span<const uint8_t> bytes) {
    Table table;
    table.storage_.resize(ceilDiv(bytes.size(), sizeof(uint64_t)) + 1);
    std::copy(bytes.begin(), bytes.end(), table.data());
    flatbuffers::Verifier verifier(table.data(), bytes.size(), 64, kMaxTables);
    if (!verifier.VerifyBuffer<T>(nullptr)) {
      return corrupt("not a valid table");
    }
    return table;
  }
  const T &operator*() const {
    return *flatbuffers::GetRoot<T>(storage_.data());
  }

private:
  uint8_t *data() { return reinterpret_cast<uint8_t *>(storage_.data()); }
  std::vector<uint64_t> storage_;
};

// Section "plan"

Result<Expr> decodeExpr(const fb::Expr *expr) {
  if (!expr) {
    return corrupt("an expression is missing");
  }
  Expr result;
  if (expr->ops()) {
    for (auto op : *expr->ops()) {
      result.ops.push_back(static_cast<ExprOp>(op));
    }
  }
  result.values = numbers(expr->values());
  return result;
}

Result<BufferRef> decodeRef(const fb::BufferRef *ref) {
  if (!ref) {
    return corrupt("a buffer reference is missing");
  }
  BufferRef result;
  result.kind = static_cast<BufferKind>(ref->kind());
  result.index = ref->index();
  KILN_ASSIGN_OR_RETURN(result.offset, decodeExpr(ref->offset()));
  KILN_ASSIGN_OR_RETURN(result.size, decodeExpr(ref->size()));
  return result;
}

Result<PlanOp> decodeDispatch(const fb::Dispatch &d) {
  DispatchModel result;
  result.name = text(d.name());
  result.program = d.program();
  result.entry = d.entry();
  result.source = d.source();
  result.macs = d.macs();
  result.macType = static_cast<DataType>(d.mac_type());
  KILN_ASSIGN_OR_RETURN(result.blockDim, decodeExpr(d.block_dim()));
  KILN_RETURN_IF_ERROR(forEach(d.bindings(), [&](const fb::Binding &b) {
    BindingModel binding;
    KILN_ASSIGN_OR_RETURN(binding.buffer, decodeRef(b.buffer()));
    binding.access = static_cast<Access>(b.access());
    binding.value = b.value();
    result.bindings.push_back(std::move(binding));
    return Status::ok();
  }));
  KILN_RETURN_IF_ERROR(forEach(d.constants(), [&](const fb::Expr &e) {
    KILN_ASSIGN_OR_RETURN(Expr expr, decodeExpr(&e));
    result.constants.push_back(std::move(expr));
    return Status::ok();
  }));
  if (d.workspace()) {
    KILN_ASSIGN_OR_RETURN(result.workspace, decodeRef(d.workspace()));
  }
  return PlanOp(std::move(result));
}

Result<PlanOp> decodeOp(const fb::OpEntry &entry) {
  if (!entry.op()) {
    return corrupt("an operation is missing");
  }
  switch (entry.op_type()) {
  case fb::Op::Dispatch:
    return decodeDispatch(*entry.op_as_Dispatch());
  case fb::Op::Copy: {
    CopyModel copy;
    KILN_ASSIGN_OR_RETURN(copy.source, decodeRef(entry.op_as_Copy()->source()));
    KILN_ASSIGN_OR_RETURN(copy.target, decodeRef(entry.op_as_Copy()->target()));
    return PlanOp(std::move(copy));
  }
  case fb::Op::Fill: {
    const fb::Fill &fill = *entry.op_as_Fill();
    KILN_ASSIGN_OR_RETURN(BufferRef target, decodeRef(fill.target()));
    return PlanOp(
        FillModel{std::move(target), fill.pattern(), fill.pattern_bytes()});
  }
  case fb::Op::Barrier:
    return PlanOp(BarrierModel{});
  default:
    return Status(StatusCode::kUnsupported,
                  "plan operation " +
                      std::to_string(static_cast<int>(entry.op_type())) +
                      " is not supported by this version");
  }
}

Status decodePlan(const fb::Plan &plan, PlanModel &result) {
  result.symbols = texts(plan.symbols());
  KILN_ASSIGN_OR_RETURN(result.arenaSize, decodeExpr(plan.arena_size()));
  return forEach(plan.functions(), [&](const fb::Function &f) {
    FunctionModel function{text(f.name()), {}};
    KILN_RETURN_IF_ERROR(forEach(f.ops(), [&](const fb::OpEntry &entry) {
      KILN_ASSIGN_OR_RETURN(PlanOp op, decodeOp(entry));
      function.ops.push_back(std::move(op));
      return Status::ok();
    }));
    result.functions.push_back(std::move(function));
    return Status::ok();
  });
}

Status decodeSourceMap(const fb::SourceMap &map,
                       std::vector<SourceEntry> &result) {
  return forEach(map.entries(), [&](const fb::SourceEntry &entry) {
    result.push_back({text(entry.node()), text(entry.op_type()),
                      text(entry.file()), entry.line()});
    return Status::ok();
  });
}

/// Section "model". Programs and constants name their sections.
class ModelDecoder {
public:
  ModelDecoder(std::span<const uint8_t> file,
               const std::vector<SectionRef> &sections)
      : file_(file), sections_(sections) {}

  Status decode(const fb::Model &model, PackageModel &result) {
    result.fingerprint = text(model.fingerprint());
    result.name = text(model.name());
    result.target = text(model.target());
    result.machineName = text(model.machine_name());
    result.machineHash = text(model.machine_hash());
    result.precision = text(model.precision());
    result.isaVersion = model.isa_version();
    result.inputs = numbers(model.inputs());
    result.outputs = numbers(model.outputs());
    result.schedules = text(model.schedules());
    KILN_RETURN_IF_ERROR(forEach(model.values(), [&](const fb::Value &v) {
      result.values.push_back(
          {text(v.name()), static_cast<DataType>(v.type()), numbers(v.shape()),
           static_cast<Layout>(v.layout()), numbers(v.physical_shape())});
      return Status::ok();
    }));
    KILN_RETURN_IF_ERROR(
        forEach(model.programs(), [&](const fb::ProgramInfo &p) {
          return decodeProgram(p, result.programs);
        }));
    KILN_RETURN_IF_ERROR(
        forEach(model.constants(), [&](const fb::ConstantInfo &c) {
          KILN_ASSIGN_OR_RETURN(Blob bytes,
                                take(c.section(), fb::SectionKind::Constant));
          result.constants.push_back(
              {text(c.name()), static_cast<DataType>(c.type()),
               numbers(c.physical_shape()), std::move(bytes)});
          return Status::ok();
        }));
    return next_ == sections_.size()
               ? Status::ok()
               : corrupt("names " + std::to_string(next_) + " of " +
                         std::to_string(sections_.size()) + " sections");
  }

private:
  Status decodeProgram(const fb::ProgramInfo &p,
                       std::vector<ProgramModel> &programs) {
    ProgramModel program;
    program.kind = static_cast<ProgramKind>(p.kind());
    program.name = text(p.name());
    program.entries = texts(p.entries());
    program.cpuFeatures = texts(p.cpu_features());
    KILN_RETURN_IF_ERROR(forEach(p.needs(), [&](const fb::Need &need) {
      program.needs.emplace_back(text(need.space()), need.bytes());
      return Status::ok();
    }));
    KILN_ASSIGN_OR_RETURN(program.bytes,
                          take(p.section(), fb::SectionKind::Program));
    programs.push_back(std::move(program));
    return Status::ok();
  }

  /// Every section is named exactly once, in order.
  Result<Blob> take(uint32_t section, fb::SectionKind kind) {
    if (section != next_ || section >= sections_.size() ||
        sections_[section].kind != kind) {
      return corrupt("names section " + std::to_string(section) + " of " +
                     std::to_string(sections_.size()) +
                     ", which is another one or of another kind");
    }
    ++next_;
    return Blob::borrow(
        file_.subspan(sections_[section].offset, sections_[section].size));
  }

  std::span<const uint8_t> file_;
  const std::vector<SectionRef> &sections_;
  size_t next_ = kFixedSections;
};

std::string numbered(std::string_view what, size_t i, std::string_view label) {
  return std::string(what) + " " + std::to_string(i) + " '" +
         std::string(label) + "'";
}

Status checkHash(std::string_view section, std::span<const uint8_t> bytes,
                 const Sha256 &expected) {
  Sha256 found = sha256(bytes);
  if (found == expected) {
    return Status::ok();
  }
  return corrupt("section '" + std::string(section) + "': SHA-256 is " +
                 toHex(found) + ", the index says " + toHex(expected) +
                 "; the file is damaged, get or compile it again");
}

/// Checks kind and hash of one of the first sections, then its structure.
template <typename T>
Result<Table<T>> openSection(std::span<const uint8_t> file,
                             const std::vector<SectionRef> &sections,
                             fb::SectionKind kind, std::string_view name) {
  size_t i = static_cast<size_t>(kind);
  if (i >= sections.size() || sections[i].kind != kind) {
    return corrupt("section '" + std::string(name) + "': missing");
  }
  auto bytes = file.subspan(sections[i].offset, sections[i].size);
  KILN_RETURN_IF_ERROR(checkHash(name, bytes, sections[i].hash));
  Result<Table<T>> table = Table<T>::open(bytes);
  if (!table) {
    return asCorrupt(table.status(), name);
  }
  return table;
}

} // namespace

Result<Package> Package::parse(std::span<const uint8_t> bytes) {
  using Kind = fb::SectionKind;
  KILN_ASSIGN_OR_RETURN(std::vector<SectionRef> sections, readIndex(bytes));
  KILN_ASSIGN_OR_RETURN(auto model, openSection<fb::Model>(
                                        bytes, sections, Kind::Model, "model"));
  KILN_ASSIGN_OR_RETURN(
      auto plan, openSection<fb::Plan>(bytes, sections, Kind::Plan, "plan"));
  KILN_ASSIGN_OR_RETURN(auto sourceMap,
                        openSection<fb::SourceMap>(
                            bytes, sections, Kind::SourceMap, "source-map"));
  Package package;
  PackageModel &m = package.model_;
  KILN_RETURN_IF_ERROR(
      asCorrupt(ModelDecoder(bytes, sections).decode(*model, m), "model"));
  KILN_RETURN_IF_ERROR(asCorrupt(decodePlan(*plan, m.plan), "plan"));
  KILN_RETURN_IF_ERROR(
      asCorrupt(decodeSourceMap(*sourceMap, m.sourceMap), "source-map"));

  std::vector<std::string> names = {"model", "plan", "source-map"};
  for (size_t i = 0; i < m.programs.size(); ++i) {
    names.push_back(numbered("program", i, m.programs[i].name));
    KILN_RETURN_IF_ERROR(checkHash(names.back(), m.programs[i].bytes.view(),
                                   sections[names.size() - 1].hash));
  }
  for (size_t i = 0; i < m.constants.size(); ++i) {
    package.constantSections_.push_back(static_cast<uint32_t>(names.size()));
    names.push_back(numbered("constant", i, m.constants[i].name));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    package.sections_.push_back(
        {names[i], sections[i].offset, sections[i].size, sections[i].hash});
  }
  package.verified_ = std::make_unique<std::atomic<bool>[]>(m.constants.size());
  KILN_RETURN_IF_ERROR(asCorrupt(validate(m), "model or plan"));
  return package;
}

Result<std::span<const uint8_t>> Package::constantBytes(uint32_t index) const {
  if (index >= model_.constants.size()) {
    return Status(StatusCode::kInvalidArgument,
                  "constant " + std::to_string(index) + " of " +
                      std::to_string(model_.constants.size()));
  }
  std::span<const uint8_t> bytes = model_.constants[index].bytes.view();
  if (!verified_[index].load(std::memory_order_acquire)) {
    const SectionInfo &section = sections_[constantSections_[index]];
    KILN_RETURN_IF_ERROR(checkHash(section.name, bytes, section.hash));
    verified_[index].store(true, std::memory_order_release);
  }
  return bytes;
}

} // namespace kiln::hal
