// SPDX-License-Identifier: Apache-2.0
//
// importOnnx: an ONNX file becomes a module in the nn and plan dialects.
//
//   ImportOptions options;
//   options.dims["batch_size"] = 1;
//   Result<ImportedModel> model = importOnnx("model.onnx", options, context);
//   if (!model) return model.status();
//   model->module->dump();
//
// The module holds one `plan.func @main` of nn operations and `plan.const`;
// the bytes of constants are in `constants`. All shapes are static. Node i of
// the graph has the location NameLoc(node name or "op_i",
// FileLineCol(file, 1 + i, 0)).
//
// Errors: kInvalidArgument: a symbolic dimension without a value (all are
// named) or a value for a dimension that the model does not have; kCorrupt:
// unreadable, truncated or inconsistent file; kUnsupported: valid but not
// something we do, every gap of the model in one message.
//
// Operators follow the ONNX operator specification, default-domain opsets 1
// to 21. Threads: one import per MLIRContext at a time.
#pragma once

#include "compiler/constants/constant_store.h"
#include "compiler/frontend/kernel_library.h"
#include "isa/support/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace kiln {

/// The newest default-domain opset that is understood.
constexpr int64_t kMaxOnnxOpset = 21;

struct ImportOptions {
  /// Values of symbolic dimensions. A dimension without a name is called
  /// "<input>[<axis>]".
  std::map<std::string, int64_t> dims;
  /// Asked for every node before the converters; null: there is none. Nodes of
  /// other domains than ONNX's own have no converter.
  KernelLibrary *kernelLibrary = nullptr;
  std::string target = "npu"; // of its kernels, as the next ones
  std::string machine = "k1";
  unsigned cores = 1;
};

/// A model input or output.
struct TensorInfo {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
};

/// A node of the ONNX graph: what line 1 + i of the locations stands for.
struct NodeInfo {
  std::string name;   // never empty: "op_7" for an unnamed node
  std::string opType; // "Conv"
  std::string output; // the value it gives; empty unless it is the only one
};

struct ImportedModel {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ConstantStore constants;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<NodeInfo> nodes;
  /// Programs of the dispatch functions without a body, by their names.
  std::map<std::string, LibraryKernel> libraryKernels;
};

Result<ImportedModel> importOnnx(const std::filesystem::path &path,
                                 const ImportOptions &options,
                                 mlir::MLIRContext &context);

/// The same from memory; `fileName` is used in locations and messages.
Result<ImportedModel> importOnnxBytes(std::span<const uint8_t> bytes,
                                      const std::string &fileName,
                                      const ImportOptions &options,
                                      mlir::MLIRContext &context);

} // namespace kiln
