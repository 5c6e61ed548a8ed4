// SPDX-License-Identifier: Apache-2.0
#include "hal/format/package.h"
#include "hal/format/package_generated.h"
#include "isa/support/units.h"

#include <cstring>

namespace kiln::hal {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
template <typename T> using Offsets = std::vector<Offset<T>>;

class ModelEncoder {
public:
  std::vector<uint8_t> encode(const PackageModel &model) {
    Offsets<fb::Value> values;
    for (const ValueModel &value : model.values) {
      values.push_back(fb::CreateValueDirect(
          fbb_, value.name.c_str(), static_cast<fb::DataType>(value.type),
          &value.shape, static_cast<fb::Layout>(value.layout),
          &value.physicalShape));
    }
    uint32_t section = 3; // after model, plan and source map
    Offsets<fb::ProgramInfo> programs;
    for (const ProgramModel &program : model.programs) {
      programs.push_back(encodeProgram(program, section++));
    }
    Offsets<fb::ConstantInfo> constants;
    for (const ConstantModel &constant : model.constants) {
      constants.push_back(fb::CreateConstantInfoDirect(
          fbb_, constant.name.c_str(), static_cast<fb::DataType>(constant.type),
          &constant.physicalShape, section++));
    }
    fbb_.Finish(fb::CreateModelDirect(
        fbb_, model.fingerprint.c_str(), model.name.c_str(),
        model.target.c_str(), model.machineName.c_str(),
        model.machineHash.c_str(), model.precision.c_str(), model.isaVersion,
        &values, &model.inputs, &model.outputs, &constants, &programs,
        model.schedules.c_str()));
    return {fbb_.GetBufferPointer(), fbb_.GetBufferPointer() + fbb_.GetSize()};
  }

private:
  Offsets<flatbuffers::String> strings(const std::vector<std::string> &texts) {
    Offsets<flatbuffers::String> offsets;
    for (const std::string &text : texts) {
      offsets.push_back(fbb_.CreateString(text));
    }
    return offsets;
  }

  Offset<fb::ProgramInfo> encodeProgram(const ProgramModel &program,
                                        uint32_t section) {
    auto entries = strings(program.entries);
    auto features = strings(program.cpuFeatures);
    Offsets<fb::Need> needs;
    for (const auto &[space, bytes] : program.needs) {
      needs.push_back(fb::CreateNeedDirect(fbb_, space.c_str(), bytes));
    }
    return fb::CreateProgramInfoDirect(
        fbb_, static_cast<fb::ProgramKind>(program.kind), program.name.c_str(),
        &entries, &features, &needs, section);
  }

  FlatBufferBuilder fbb_;
};

class PlanEncoder {
public:
  std::vector<uint8_t> encode(const PlanModel &plan) {
    Offsets<flatbuffers::String> symbols;
    for (const std::string &symbol : plan.symbols) {
      symbols.push_back(fbb_.CreateString(symbol));
    }
    Offsets<fb::Function> functions;
    for (const FunctionModel &function : plan.functions) {
      Offsets<fb::OpEntry> ops;
      for (const PlanOp &op : function.ops) {
        ops.push_back(std::visit([&](const auto &o) { return encode(o); }, op));
      }
      functions.push_back(
          fb::CreateFunctionDirect(fbb_, function.name.c_str(), &ops));
    }
    auto arenaSize = encode(plan.arenaSize);
    fbb_.Finish(fb::CreatePlanDirect(fbb_, &symbols, arenaSize, &functions));
    return {fbb_.GetBufferPointer(), fbb_.GetBufferPointer() + fbb_.GetSize()};
  }

private:
  Offset<fb::Expr> encode(const Expr &expr) {
    std::vector<fb::ExprOp> ops;
    for (ExprOp op : expr.ops) {
      ops.push_back(static_cast<fb::ExprOp>(op));
    }
    return fb::CreateExprDirect(fbb_, &ops, &expr.values);
  }

  Offset<fb::BufferRef> encode(const BufferRef &ref) {
    auto offset = encode(ref.offset);
    auto size = encode(ref.size);
    return fb::CreateBufferRef(fbb_, static_cast<fb::BufferKind>(ref.kind),
                               ref.index, offset, size);
  }

  template <typename T> Offset<fb::OpEntry> entry(fb::Op kind, Offset<T> op) {
    return fb::CreateOpEntry(fbb_, kind, op.Union());
  }

  Offset<fb::OpEntry> encode(const DispatchModel &d) {
    Offsets<fb::Binding> bindings;
    for (const BindingModel &binding : d.bindings) {
      auto buffer = encode(binding.buffer);
      bindings.push_back(fb::CreateBinding(
          fbb_, buffer, static_cast<fb::Access>(binding.access),
          binding.value));
    }
    Offsets<fb::Expr> constants;
    for (const Expr &constant : d.constants) {
      constants.push_back(encode(constant));
    }
    auto blockDim = encode(d.blockDim);
    Offset<fb::BufferRef> workspace;
    if (d.workspace) {
      workspace = encode(*d.workspace);
    }
    return entry(fb::Op::Dispatch,
                 fb::CreateDispatchDirect(
                     fbb_, d.name.c_str(), d.program, d.entry, blockDim,
                     &bindings, &constants, d.source, workspace, d.macs,
                     static_cast<fb::DataType>(d.macType)));
  }

  Offset<fb::OpEntry> encode(const CopyModel &copy) {
    auto source = encode(copy.source);
    auto target = encode(copy.target);
    return entry(fb::Op::Copy, fb::CreateCopy(fbb_, source, target));
  }

  Offset<fb::OpEntry> encode(const FillModel &fill) {
    auto target = encode(fill.target);
    return entry(fb::Op::Fill,
                 fb::CreateFill(fbb_, target, fill.pattern, fill.patternBytes));
  }

  Offset<fb::OpEntry> encode(const BarrierModel &) {
    return entry(fb::Op::Barrier, fb::CreateBarrier(fbb_));
  }

  FlatBufferBuilder fbb_;
};

std::vector<uint8_t> encodeSourceMap(const std::vector<SourceEntry> &map) {
  FlatBufferBuilder fbb;
  Offsets<fb::SourceEntry> entries;
  for (const SourceEntry &entry : map) {
    entries.push_back(fb::CreateSourceEntryDirect(
        fbb, entry.node.c_str(), entry.opType.c_str(), entry.file.c_str(),
        entry.line));
  }
  fbb.Finish(fb::CreateSourceMapDirect(fbb, &entries));
  return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

struct Part {
  fb::SectionKind kind;
  Blob bytes;
};

/// The index for sections that start at `base`. Its size does not depend on
/// the values in it.
std::vector<uint8_t> encodeIndex(const std::vector<Part> &parts,
                                 const std::vector<fb::Hash> &hashes,
                                 uint64_t base) {
  FlatBufferBuilder fbb;
  // A default of zero would be left out and change the size.
  fbb.ForceDefaults(true);
  Offsets<fb::Section> sections;
  uint64_t end = base;
  for (size_t i = 0; i < parts.size(); ++i) {
    uint64_t offset = alignUp(end, kPackageAlignment);
    end = offset + parts[i].bytes.size();
    sections.push_back(fb::CreateSection(fbb, parts[i].kind, offset,
                                         parts[i].bytes.size(), &hashes[i]));
  }
  fbb.FinishSizePrefixed(
      fb::CreateIndexDirect(fbb, kPackageFormatVersion, end, &sections),
      "KILN");
  return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
}

std::vector<uint8_t> assemble(const std::vector<Part> &parts) {
  std::vector<fb::Hash> hashes;
  for (const Part &part : parts) {
    Sha256 hash = sha256(part.bytes.view());
    hashes.emplace_back(flatbuffers::span<const uint8_t, 32>(hash));
  }
  uint64_t base = encodeIndex(parts, hashes, 0).size();
  std::vector<uint8_t> file = encodeIndex(parts, hashes, base);
  assert(file.size() == base && "the index has a fixed size");
  uint64_t size = base;
  for (const Part &part : parts) {
    size = alignUp(size, kPackageAlignment) + part.bytes.size();
  }
  file.reserve(size);
  for (const Part &part : parts) {
    file.resize(alignUp(file.size(), kPackageAlignment));
    std::span<const uint8_t> bytes = part.bytes.view();
    file.insert(file.end(), bytes.begin(), bytes.end());
  }
  return file;
}

} // namespace

Result<std::vector<uint8_t>> serialize(const PackageModel &model) {
  KILN_RETURN_IF_ERROR(validate(model).withContext("package"));
  std::vector<Part> parts = {
      {fb::SectionKind::Model, ModelEncoder().encode(model)},
      {fb::SectionKind::Plan, PlanEncoder().encode(model.plan)},
      {fb::SectionKind::SourceMap, encodeSourceMap(model.sourceMap)}};
  for (const ProgramModel &program : model.programs) {
    parts.push_back({fb::SectionKind::Program, program.bytes});
  }
  for (const ConstantModel &constant : model.constants) {
    parts.push_back({fb::SectionKind::Constant, constant.bytes});
  }
  return assemble(parts);
}

} // namespace kiln::hal
