// SPDX-License-Identifier: Apache-2.0
//
// One-file operators inside an ONNX model: compiled with the model, run between
// operators of ONNX on both NPU engines and, with their body, on the CPU, and
// refused with a reason.
#include "compiler/pipeline/compile.h"
#include "hal/api/session.h"
#include "hal/drivers/all/all.h"
#include "tests/unit/compiler/frontend/model_builder.h"
#include "tik_dsl/library/operator_library.h"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

using testing::HasSubstr;

/// softmax(relu(x) + relu(x)) by operators of the examples.
class Model : public testing::Test {
protected:
  Model() : builder_(13) {
    auto *import = builder_.model.add_opset_import();
    import->set_domain("kiln.custom");
    import->set_version(1);
    builder_.input("x", {64}, onnx::TensorProto::FLOAT16);
    builder_.node("Relu", {"x"}, {"r"});
    custom("vector_add", {"r", "r"}, "s");
    builder_.node("Relu", {"s"}, {"y"});
    builder_.output("y");
  }

  onnx::NodeProto &custom(const char *op, std::vector<std::string> inputs,
                          const char *output) {
    auto &node = builder_.node(op, inputs, {output});
    node.set_domain("kiln.custom");
    return node;
  }

  Result<pipeline::CompileOutput> output(pipeline::CompileOptions options) {
    auto library =
        std::make_shared<OperatorLibrary>(LoadOptions{.includeDir = "."});
    library->files = {"tik_dsl/examples/01_vector_add.cpp",
                      "tests/unit/tik_dsl/operators/body_only.cpp",
                      "tests/unit/tik_dsl/operators/onnx_add.cpp",
                      "tests/unit/tik_dsl/operators/print_twice.cpp"};
    options.kernelLibrary = library;
    return pipeline::compileModelBytes(builder_.bytes(), "m.onnx", options);
  }
  Result<std::vector<uint8_t>> compile(pipeline::CompileOptions options = {}) {
    KILN_ASSIGN_OR_RETURN(auto compiled, output(std::move(options)));
    return std::move(compiled.package);
  }
  std::string error(pipeline::CompileOptions options = {}) {
    const auto package = compile(options);
    return package ? "compiled" : package.status().message();
  }

  test::ModelBuilder builder_;
};

Result<std::vector<_Float16>> run(const std::vector<uint8_t> &package,
                                  const char *deviceName,
                                  const std::vector<_Float16> &values) {
  hal::Instance instance;
  KILN_RETURN_IF_ERROR(hal::registerAllDrivers(instance));
  KILN_ASSIGN_OR_RETURN(auto device, instance.createDevice(deviceName));
  KILN_ASSIGN_OR_RETURN(
      auto session, hal::Session::load(*device, hal::Blob::borrow(package)));
  auto input = hal::HostTensor::make(hal::DataType::kF16, {64});
  std::memcpy(input.bytes.data(), values.data(), input.bytes.size());
  KILN_ASSIGN_OR_RETURN(auto outputs, session->run({input}));
  std::vector<_Float16> result(64);
  std::memcpy(result.data(), outputs[0].bytes.data(), 128);
  return result;
}

TEST_F(Model, RunsACustomOperatorBetweenOthers) {
  const auto package = compile();
  ASSERT_TRUE(package) << package.status().message();
  std::vector<_Float16> x(64);
  for (int i = 0; i < 64; ++i) {
    x[i] = static_cast<_Float16>(0.25 * (i - 20));
  }
  for (const char *device : {"npu:functional", "npu:cycle"}) {
    const auto y = run(*package, device, x);
    ASSERT_TRUE(y) << y.status().message();
    for (int i = 0; i < 64; ++i) {
      EXPECT_EQ((*y)[i], static_cast<_Float16>(i < 20 ? 0 : 0.5 * (i - 20)))
          << device << " " << i;
    }
  }
}

TEST_F(Model, IsTheSameEveryTime) { EXPECT_EQ(*compile(), *compile()); }

TEST_F(Model, TakesAKernelForAnOperatorOfOnnx) {
  auto &node = *builder_.graph().mutable_node(1);
  node.set_domain("");
  node.set_op_type("Add");
  pipeline::CompileOptions plan;
  plan.stopAfter = "plan";
  const auto planned = output(plan);
  ASSERT_TRUE(planned) << planned.status().message();
  EXPECT_THAT(planned->text, HasSubstr("@custom_Add_1"));
  const auto package = compile();
  ASSERT_TRUE(package) << package.status().message();
  const auto y = run(*package, "npu:functional", std::vector<_Float16>(64, 3));
  ASSERT_TRUE(y) << y.status().message();
  EXPECT_EQ(*y, std::vector<_Float16>(64, 6));
}

TEST_F(Model, NamesAnOperatorThatNobodyHas) {
  builder_.graph().mutable_node(1)->set_op_type("vector_mul");
  EXPECT_THAT(error(), HasSubstr("kiln.custom.vector_mul"));
  EXPECT_THAT(error(), HasSubstr("unknown operator; the operator files have "
                                 "kiln.custom.vector_add"));
}

TEST_F(Model, NamesInputsThatDoNotFit) {
  builder_.input("z", {32}, onnx::TensorProto::FLOAT16);
  *builder_.graph().mutable_node(1)->mutable_input(1) = "z";
  EXPECT_THAT(error(), HasSubstr("vector_add wants N=64 for dimension 0 of "
                                 "'y', found 32"));
  builder_.graph().mutable_node(1)->mutable_input()->RemoveLast();
  EXPECT_THAT(error(),
              HasSubstr("vector_add has 1 inputs; the operator has 2"));
}

TEST_F(Model, NamesATypeThatDoesNotFit) {
  builder_.graph()
      .mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->set_elem_type(onnx::TensorProto::FLOAT);
  EXPECT_THAT(error(), HasSubstr("vector_add wants f16 for 'x', found f32"));
}

TEST_F(Model, NamesAnAttributeThatDoesNotExist) {
  test::integer(*builder_.graph().mutable_node(1), "tile", 3);
  EXPECT_THAT(error(), HasSubstr("'tile' is neither a dimension nor an "
                                 "attribute of vector_add"));
}

TEST_F(Model, RunsTheBodyOnTheCpu) {
  pipeline::CompileOptions cpu;
  cpu.target = "cpu";
  const auto onCpu = compile(cpu), onNpu = compile();
  ASSERT_TRUE(onCpu) << onCpu.status().message();
  ASSERT_TRUE(onNpu) << onNpu.status().message();
  std::vector<_Float16> x(64);
  for (int i = 0; i < 64; ++i) {
    x[i] = static_cast<_Float16>(0.3 * (i - 20));
  }
  const auto got = run(*onCpu, "cpu", x), want = run(*onNpu, "npu:cycle", x);
  ASSERT_TRUE(got) << got.status().message();
  ASSERT_TRUE(want) << want.status().message();
  EXPECT_EQ(*got, *want); // one rounded addition: the same bits
}

TEST_F(Model, ABodyIsOneKernelWithItsNeighbours) {
  pipeline::CompileOptions cpu;
  cpu.target = "cpu";
  cpu.stopAfter = "linalg";
  const auto shared = output(cpu);
  ASSERT_TRUE(shared) << shared.status().message();
  EXPECT_THAT(shared->text, HasSubstr("arith.addf"));
  EXPECT_EQ(shared->text.find("nn."), std::string::npos);
  size_t dispatches = 0;
  for (size_t at = shared->text.find("plan.dispatch @");
       at != std::string::npos;
       at = shared->text.find("plan.dispatch @", at + 1)) {
    ++dispatches;
  }
  EXPECT_EQ(dispatches, 1u) << shared->text;
}

TEST_F(Model, RunsAnOperatorWithoutAKernelEverywhere) {
  builder_.graph().mutable_node(1)->set_op_type("body_only");
  std::vector<_Float16> x(64, 3);
  for (const char *device : {"cpu", "npu:functional", "npu:cycle"}) {
    pipeline::CompileOptions options;
    options.target = device[0] == 'c' ? "cpu" : "npu";
    const auto package = compile(options);
    ASSERT_TRUE(package) << package.status().message();
    const auto y = run(*package, device, x);
    ASSERT_TRUE(y) << y.status().message();
    EXPECT_EQ(*y, std::vector<_Float16>(64, 9)) << device;
  }
}

TEST_F(Model, TellsWhatAKernelPrints) {
  auto &node = *builder_.graph().mutable_node(1);
  node.set_op_type("print_twice");
  node.set_name("the_node");
  node.mutable_input()->RemoveLast();
  const auto package = compile();
  ASSERT_TRUE(package) << package.status().message();
  for (const char *name : {"npu:functional", "npu:cycle"}) {
    hal::Instance instance;
    ASSERT_TRUE(hal::registerAllDrivers(instance));
    const auto device = instance.createDevice(name);
    ASSERT_TRUE(device);
    const auto session =
        hal::Session::load(**device, hal::Blob::borrow(*package));
    ASSERT_TRUE(session);
    std::vector<std::string> lines;
    hal::RunOptions options;
    options.profile = [&](const hal::DispatchProfile &profile) {
      for (const std::string &line : profile.report.printed) {
        lines.push_back(profile.source->node + ": " + line);
      }
    };
    const auto out = (*session)->run(
        {hal::HostTensor::make(hal::DataType::kF16, {64})}, options);
    ASSERT_TRUE(out) << out.status().message();
    EXPECT_THAT(lines,
                testing::ElementsAre("the_node: block 0: i = 0, count = 64"))
        << name;
  }
}

TEST_F(Model, NamesAnOperatorWithoutABody) {
  auto &node = *builder_.graph().mutable_node(1);
  node.set_domain("");
  node.set_op_type("Add");
  pipeline::CompileOptions cpu;
  cpu.target = "cpu";
  EXPECT_THAT(error(cpu), HasSubstr("Add has a kernel for the NPU and no "
                                    "body(); the target is cpu"));
}

TEST_F(Model, KeepsItsOwnTypes) {
  pipeline::CompileOptions half;
  half.precision = "fp16";
  EXPECT_EQ(error(half), "custom operators keep their types: --precision "
                         "strict, not fp16");
}

TEST(Library, RefusesTwoOperatorsOfOneName) {
  OperatorLibrary library({.includeDir = "."});
  library.files = {"tik_dsl/examples/01_vector_add.cpp",
                   "tik_dsl/examples/01_vector_add.cpp"};
  EXPECT_THAT(library.load().message(),
              HasSubstr("there is an operator 'vector_add' of domain "
                        "'kiln.custom' already"));
}

TEST(Library, AnAttributeThatIsATypeFollowsTheInput) {
  OperatorDecl decl;
  decl.name = "op";
  decl.attributes = {{"kind", {5, 7}}};
  decl.tensors = {{.name = "x", .typeAttribute = "kind", .dims = {"N", "16"}}};
  const auto settings = settingsOf(decl, {"",
                                          "op",
                                          {{ElementType::kF32, {3, 16}}},
                                          {{"extra", 4}},
                                          "npu",
                                          "k1",
                                          1});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->settings, (std::vector<std::pair<std::string, int64_t>>{
                                    {"kind", 7}, {"N", 3}, {"extra", 4}}));
}

} // namespace
} // namespace kiln::tik
