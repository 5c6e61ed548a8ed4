// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/plan/result_location.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace kiln::plan {

/// Metadata of a fused location that resultOf() made.
static IntegerAttr nodeOf(Location loc) {
  auto fused = dyn_cast<FusedLoc>(loc);
  return fused ? dyn_cast_or_null<IntegerAttr>(fused.getMetadata())
               : IntegerAttr();
}

Location resultOf(Location main, Location last) {
  std::optional<int64_t> node = resultNode(last);
  if (!node) {
    return main;
  }
  if (nodeOf(main)) {
    main = cast<FusedLoc>(main).getLocations().front();
  }
  MLIRContext *context = main.getContext();
  return FusedLoc::get(context, {main},
                       IntegerAttr::get(IntegerType::get(context, 64), *node));
}

std::optional<int64_t> resultNode(Location loc) {
  if (IntegerAttr node = nodeOf(loc)) {
    return node.getInt();
  }
  auto named = dyn_cast<NameLoc>(loc);
  auto file =
      named ? dyn_cast<FileLineColLoc>(named.getChildLoc()) : FileLineColLoc();
  if (!file || file.getLine() == 0) { // an input of the model
    return std::nullopt;
  }
  return file.getLine();
}

} // namespace kiln::plan
