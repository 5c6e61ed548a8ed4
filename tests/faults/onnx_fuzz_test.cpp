// SPDX-License-Identifier: Apache-2.0
//
// The importer on damaged files, a thousand of each kind, in one process: a
// documented error with a message or a model; never a crash, never a hang.
#include "compiler/frontend/onnx/importer.h"
#include "tests/faults/damage.h"
#include "tests/support/seeds.h"

#include "mlir/IR/MLIRContext.h"

#include <fstream>

#include <fmt/format.h>

namespace kiln {
namespace {

using namespace test;

Bytes modelBytes() {
  std::ifstream file(kModel, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

Status import(const Bytes &bytes, mlir::MLIRContext &context) {
  return importOnnxBytes(bytes, "damaged.onnx", {}, context).status();
}

TEST(DamagedOnnx, EveryTruncationIsRefusedWithAReason) {
  Bytes whole = modelBytes();
  ASSERT_FALSE(whole.empty());
  mlir::MLIRContext context;
  for (size_t i = 0; i < kDamages; ++i) {
    Bytes part = truncated(whole, i);
    Status status = import(part, context);
    ASSERT_FALSE(status.isOk()) << part.size() << " bytes were accepted";
    expectDocumented(status, fmt::format("{} bytes", part.size()));
  }
}

TEST(DamagedOnnx, AFlippedBitIsRefusedOrStillAModel) {
  Bytes whole = modelBytes();
  mlir::MLIRContext context;
  size_t valid = 0, tried = 0;
  for (uint64_t i : seeds(0, kDamages)) {
    ++tried;
    Status status = import(flipped(whole, i), context);
    if (status.isOk()) {
      ++valid;
    } else {
      expectDocumented(status, fmt::format("flip {}", i));
    }
  }
  fmt::print("{} of {} flipped models are still valid\n", valid, tried);
  EXPECT_GT(valid, 0u);
  EXPECT_LT(valid, tried);
}

} // namespace
} // namespace kiln
