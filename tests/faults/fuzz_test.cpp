// SPDX-License-Identifier: Apache-2.0
//
// Damaged files from the importer to the device, in one process: a flipped
// model that is still valid gives the same on every device; a truncated or
// flipped package gives a documented error with a message, or what it would
// have given undamaged; never a crash, never a hang. onnx_fuzz_test.cpp has the
// importer alone.
#include "compiler/frontend/onnx/importer.h"
#include "compiler/pipeline/compile.h"
#include "compiler/pipeline/register.h"
#include "hal/api/session.h"
#include "hal/drivers/all/all.h"
#include "tests/faults/damage.h"
#include "tests/support/seeds.h"
#include "tools/io/compare.h"
#include "tools/io/file.h"

#include "mlir/IR/MLIRContext.h"

#include <cstring>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using namespace test;

Bytes modelBytes() {
  Result<Bytes> bytes = tools::readFile(kModel);
  return bytes ? *bytes : Bytes();
}

class Importer {
public:
  Importer() {
    registerKilnDialects(registry_);
    context_ = std::make_unique<mlir::MLIRContext>(registry_);
    context_->loadAllAvailableDialects();
  }
  Status import(const Bytes &bytes) {
    Result<ImportedModel> model =
        importOnnxBytes(bytes, "damaged.onnx", {}, *context_);
    return model.status();
  }

private:
  mlir::DialectRegistry registry_;
  std::unique_ptr<mlir::MLIRContext> context_;
};

Result<Bytes> compileFor(const Bytes &model, const std::string &target) {
  pipeline::CompileOptions options;
  options.target = target;
  KILN_ASSIGN_OR_RETURN(
      pipeline::CompileOutput output,
      pipeline::compileModelBytes(model, "damaged.onnx", options));
  return std::move(output.package);
}

/// Outputs of a package for the committed image of a seven.
Result<std::vector<hal::HostTensor>> runOn(const Bytes &package,
                                           const std::string &deviceName) {
  hal::Instance instance;
  KILN_RETURN_IF_ERROR(hal::registerAllDrivers(instance));
  KILN_ASSIGN_OR_RETURN(auto device, instance.createDevice(deviceName));
  KILN_ASSIGN_OR_RETURN(
      auto session, hal::Session::load(*device, hal::Blob::borrow(package)));
  KILN_ASSIGN_OR_RETURN(tools::HostTensor image,
                        tools::loadTensor("tools/digits/images/digit_7.npy"));
  hal::HostTensor input =
      hal::HostTensor::make(hal::DataType::kF32, image.shape);
  std::memcpy(input.bytes.data(), image.bytes.data(), image.bytes.size());
  return session->run({input});
}

TEST(DamagedOnnx, DevicesAgreeOnFlippedModelsThatAreStillValid) {
  Bytes whole = modelBytes();
  if (Result<Bytes> npu = compileFor(whole, "npu"); !npu) {
    GTEST_SKIP() << "the NPU path does not compile the undamaged model yet: "
                 << npu.status().message();
  }
  Importer importer;
  size_t compared = 0;
  for (uint64_t seed = 5000; compared < 12 && seed < 5100; ++seed) {
    Bytes model = flipped(whole, seed);
    if (!importer.import(model).isOk()) {
      continue;
    }
    Result<Bytes> cpu = compileFor(model, "cpu");
    Result<Bytes> npu = compileFor(model, "npu");
    ASSERT_EQ(cpu.isOk(), npu.isOk())
        << "flip " << seed << ": " << cpu.status().message()
        << npu.status().message();
    if (!cpu) {
      expectDocumented(cpu.status(), fmt::format("flip {}", seed));
      continue;
    }
    auto a = runOn(*cpu, "cpu");
    auto b = runOn(*npu, "npu:functional");
    ASSERT_TRUE(a) << a.status().message();
    ASSERT_TRUE(b) << b.status().message();
    const auto *x = reinterpret_cast<const float *>((*a)[0].bytes.data());
    const auto *y = reinterpret_cast<const float *>((*b)[0].bytes.data());
    for (size_t i = 0; i < (*a)[0].bytes.size() / sizeof(float); ++i) {
      bool bothNan = x[i] != x[i] && y[i] != y[i];
      EXPECT_TRUE(bothNan ||
                  std::abs(x[i] - y[i]) <= 1e-4 + 1e-3 * std::abs(x[i]))
          << "flip " << seed << ": " << x[i] << " and " << y[i];
    }
    ++compared;
  }
  EXPECT_GE(compared, 12u);
}

class DamagedPackage : public testing::Test {
protected:
  void SetUp() override {
    Result<Bytes> package = compileFor(modelBytes(), "cpu");
    ASSERT_TRUE(package) << package.status().message();
    whole_ = std::move(*package);
    auto outputs = runOn(whole_, "cpu");
    ASSERT_TRUE(outputs) << outputs.status().message();
    expected_ = (*outputs)[0].bytes;
  }

  /// An error, or the outputs of the undamaged package.
  void check(const Bytes &bytes, const std::string &what) {
    auto outputs = runOn(bytes, "cpu");
    if (!outputs) {
      expectDocumented(outputs.status(), what);
      ++refused_;
    } else {
      EXPECT_EQ((*outputs)[0].bytes, expected_) << what;
    }
  }

  Bytes whole_;
  std::vector<std::byte> expected_;
  size_t refused_ = 0;
};

TEST_F(DamagedPackage, EveryTruncationIsRefused) {
  for (size_t i = 0; i < kDamages; ++i) {
    check(truncated(whole_, i), fmt::format("truncation {}", i));
  }
  EXPECT_EQ(refused_, kDamages);
}

TEST_F(DamagedPackage, AFlippedBitIsRefusedOrWithoutEffect) {
  size_t tried = 0;
  for (uint64_t i : seeds(0, kDamages)) {
    ++tried;
    check(flipped(whole_, i), fmt::format("flip {}", i));
  }
  fmt::print("{} of {} flipped packages are refused\n", refused_, tried);
  EXPECT_GT(refused_, tried / 2);
}

} // namespace
} // namespace kiln
