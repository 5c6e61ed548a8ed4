// SPDX-License-Identifier: Apache-2.0
//
// importBody: the body of one operator as a model of its own, with the
// operator's inputs and outputs.
//
//   Result<ImportedModel> model = importBody({"gelu", text, signature},
//   context);
//
// `text` is what LinalgBodyReader gave for the signature. Errors: kInternal for
// a text that is something else.
#pragma once

#include "compiler/frontend/body/linalg_body.h"
#include "compiler/frontend/onnx/importer.h"

namespace kiln {

Result<ImportedModel> importBody(const BodyModel &body,
                                 mlir::MLIRContext &context);

/// Puts the body's function into the module, under a name, as one that an
/// nn.custom may call. Null for a text that is no body.
mlir::Operation *addBodyFunction(const std::string &text,
                                 const std::string &name,
                                 mlir::ModuleOp module);

} // namespace kiln
