// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/frontend/onnx/importer.h"
#include "mlir/IR/MLIRContext.h"
#include "tests/unit/compiler/frontend/model_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln {
namespace {

using test::ModelBuilder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Importer : public testing::Test {
protected:
  // The message of a model that must be refused with `code`.
  std::string refuse(const ModelBuilder &b, StatusCode code,
                     const ImportOptions &options = {}) {
    Result<ImportedModel> model = b.import(context, options);
    EXPECT_FALSE(model.isOk());
    EXPECT_EQ(model.status().code(), code) << model.status().message();
    return model.status().message();
  }

  std::string unsupported(const ModelBuilder &b) {
    return refuse(b, StatusCode::kUnsupported);
  }
  std::string corrupt(const ModelBuilder &b) {
    return refuse(b, StatusCode::kCorrupt);
  }

  // The shape of the only output.
  std::vector<int64_t> shapeOf(const ModelBuilder &b,
                               const ImportOptions &options = {}) {
    Result<ImportedModel> model = b.import(context, options);
    EXPECT_TRUE(model.isOk()) << model.status().message();
    return model ? model->outputs.at(0).shape : std::vector<int64_t>();
  }

  mlir::MLIRContext context;
};

using Shape = std::vector<int64_t>;

template <typename OpT> OpT findOp(ImportedModel &model) {
  OpT found;
  model.module->walk([&](OpT op) { found = op; });
  return found;
}

//===- structure ----------------------------------------------------------===//

TEST_F(Importer, GivesEveryNodeItsNameAndLine) {
  ModelBuilder b(13);
  b.input("x", {4});
  b.node("Relu", {"x"}, {"a"}, "first");
  b.node("Tanh", {"a"}, {"y"});
  b.output("y");
  Result<ImportedModel> model = b.import(context);
  ASSERT_TRUE(model.isOk()) << model.status().message();
  auto text = [](mlir::Operation *op) {
    std::string result;
    llvm::raw_string_ostream(result) << op->getLoc();
    return result;
  };
  EXPECT_EQ(text(findOp<nn::ReluOp>(*model)),
            "loc(\"first\"(\"test.onnx\":1:0))");
  EXPECT_EQ(text(findOp<nn::TanhOp>(*model)),
            "loc(\"op_1\"(\"test.onnx\":2:0))");
  ASSERT_EQ(model->nodes.size(), 2u);
  EXPECT_EQ(model->nodes[1].name, "op_1");
  EXPECT_EQ(model->nodes[1].opType, "Tanh");
}

TEST_F(Importer, KeepsWeightsOutOfTheIrAndStoresEqualOnesOnce) {
  ModelBuilder b(13);
  b.input("x", {2});
  b.weights("w", {2}, {1, 2});
  b.weights("v", {2}, {1, 2});
  b.node("Add", {"x", "w"}, {"a"});
  b.node("Add", {"a", "v"}, {"y"});
  b.output("y");
  Result<ImportedModel> model = b.import(context);
  ASSERT_TRUE(model.isOk()) << model.status().message();
  EXPECT_EQ(model->constants.size(), 1u);
  auto constant = findOp<plan::ConstOp>(*model);
  ASSERT_NE(model->constants.find(constant.getSymbol()), nullptr);
}

TEST_F(Importer, InitializersAreNoInputsEvenWhenListed) {
  ModelBuilder b(7, /*irVersion=*/3);
  b.input("x", {2});
  b.input("w", {2});
  b.weights("w", {2}, {1, 2});
  b.node("Mul", {"x", "w"}, {"y"});
  b.output("y");
  Result<ImportedModel> model = b.import(context);
  ASSERT_TRUE(model.isOk()) << model.status().message();
  ASSERT_EQ(model->inputs.size(), 1u);
  EXPECT_EQ(model->inputs[0].name, "x");
}

TEST_F(Importer, ReportsEveryGapInOneRun) {
  ModelBuilder b(13);
  b.input("x", {1, 4, 8, 8});
  b.weights("w", {4, 2, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
  b.node("Cosh", {"x"}, {"a"}, "strange");
  auto &conv = b.node("Conv", {"x", "w"}, {"b"}, "grouped");
  test::integer(conv, "group", 2);
  auto &relu = b.node("Relu", {"x"}, {"c"}, "odd");
  test::integer(relu, "gain", 3);
  b.node("LSTM", {"x"}, {"d"}, "recurrent").set_domain("my.domain");
  auto &domain = *b.model.add_opset_import();
  domain.set_domain("my.domain");
  domain.set_version(1);
  b.output("c");
  std::string message = unsupported(b);
  EXPECT_THAT(message, HasSubstr("test.onnx: 4 things"));
  EXPECT_THAT(message,
              HasSubstr("node 'strange' (Cosh, opset 13): unknown operator"));
  EXPECT_THAT(message,
              HasSubstr("node 'grouped' (Conv, opset 13), attribute 'group': "
                        "2 groups of 4 channels; supported: 1 and one per "
                        "channel (depthwise)"));
  EXPECT_THAT(message, HasSubstr("node 'odd' (Relu, opset 13), attribute "
                                 "'gain': unknown attribute of kind INT"));
}

TEST_F(Importer, ReportsNodesAfterAnUnknownOneWhenTypesAreDeclared) {
  ModelBuilder b(13);
  b.input("x", {1, 4});
  b.node("Strange", {"x"}, {"a"});
  auto &softmax = b.node("Softmax", {"a"}, {"y"}, "late");
  test::integer(softmax, "wrong", 1);
  auto &info = *b.graph().add_value_info();
  info.set_name("a");
  auto *type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_value(1);
  type->mutable_shape()->add_dim()->set_dim_value(4);
  b.output("y");
  EXPECT_THAT(unsupported(b),
              AllOf(HasSubstr("unknown operator"), HasSubstr("node 'late'")));
}

TEST_F(Importer, RefusesWrongGraphs) {
  {
    ModelBuilder b(13);
    b.input("x", {4});
    b.node("Relu", {"z"}, {"y"}, "n");
    b.output("y");
    EXPECT_THAT(corrupt(b), HasSubstr("input 'z' is not defined by an earlier "
                                      "node, an input or an initializer"));
  }
  {
    ModelBuilder b(13);
    b.input("x", {4});
    b.node("Relu", {"x"}, {"y"});
    b.node("Tanh", {"x"}, {"y"}, "again");
    b.output("y");
    EXPECT_THAT(corrupt(b), HasSubstr("value 'y' is defined twice"));
  }
  {
    ModelBuilder b(13);
    b.input("x", {4});
    b.output("y");
    EXPECT_THAT(corrupt(b), HasSubstr("output 'y': is computed by no node"));
  }
  {
    ModelBuilder b(13);
    b.input("x", {4});
    b.node("Relu", {"x", "x"}, {"y"});
    b.output("y");
    EXPECT_THAT(corrupt(b), HasSubstr("has 2 inputs, expected 1"));
  }
}

TEST_F(Importer, ChecksTheKindOfAttributes) {
  ModelBuilder b(13);
  b.input("x", {1, 4});
  auto &softmax = b.node("Softmax", {"x"}, {"y"});
  test::number(softmax, "axis", 1);
  b.output("y");
  EXPECT_THAT(corrupt(b), HasSubstr("attribute 'axis': is of kind FLOAT, "
                                    "expected INT"));
}

TEST_F(Importer, ChecksOpsets) {
  for (int64_t opset : {1, 6, 7, 13, 21}) {
    ModelBuilder b(opset);
    b.input("x", {4});
    b.node("Relu", {"x"}, {"y"});
    b.output("y");
    EXPECT_EQ(shapeOf(b), Shape({4})) << opset;
  }
  ModelBuilder newer(22);
  newer.input("x", {4});
  newer.node("Relu", {"x"}, {"y"});
  newer.output("y");
  EXPECT_THAT(unsupported(newer), HasSubstr("opset 22; supported: 1 to 21"));
  ModelBuilder early(8);
  early.input("x", {4});
  early.node("ConstantOfShape", {"x"}, {"y"});
  early.output("y");
  EXPECT_THAT(corrupt(early), HasSubstr("does not exist in opset 8"));
}

//===- symbolic dimensions ------------------------------------------------===//

TEST_F(Importer, FixesSymbolicDimensions) {
  ModelBuilder b(13);
  auto &shape = b.input("x", {1, 3});
  shape.mutable_dim(0)->set_dim_param("batch");
  shape.mutable_dim(1)->clear_dim_value();
  b.node("Relu", {"x"}, {"y"});
  b.output("y");
  EXPECT_THAT(refuse(b, StatusCode::kInvalidArgument),
              HasSubstr("without a value: 'batch', 'x[1]'; give each one with "
                        "--dim NAME=N"));
  ImportOptions options;
  options.dims = {{"batch", 2}, {"x[1]", 5}};
  EXPECT_EQ(shapeOf(b, options), Shape({2, 5}));
  options.dims["depth"] = 3;
  EXPECT_THAT(refuse(b, StatusCode::kInvalidArgument, options),
              HasSubstr("no symbolic dimension 'depth'; it has: 'batch', "
                        "'x[1]'"));
  options.dims = {{"batch", 0}, {"x[1]", 5}};
  EXPECT_THAT(refuse(b, StatusCode::kInvalidArgument, options),
              HasSubstr("'batch' is set to 0, expected at least 1"));
}

//===- tensors ------------------------------------------------------------===//

TEST_F(Importer, ChecksSizesOfTensors) {
  auto model = [](auto edit) {
    ModelBuilder b(13);
    b.input("x", {2});
    edit(b.weights("w", {2}, {1, 2}));
    b.node("Add", {"x", "w"}, {"y"});
    b.output("y");
    return b;
  };
  EXPECT_THAT(corrupt(model([](auto &w) { w.set_dims(0, 3); })),
              HasSubstr("tensor 'w': float_data has 2 entries, expected 3"));
  EXPECT_THAT(corrupt(model([](auto &w) { w.set_dims(0, -2); })),
              HasSubstr("dimensions [-2] are not a tensor's"));
  EXPECT_THAT(corrupt(model([](auto &w) { w.set_dims(0, int64_t(1) << 60); })),
              HasSubstr("are not a tensor's"));
  EXPECT_THAT(corrupt(model([](auto &w) { w.set_raw_data("abc"); })),
              HasSubstr("raw_data has 3 bytes, expected 8 for [2] f32"));
  EXPECT_THAT(corrupt(model([](auto &w) { w.set_data_type(99); })),
              HasSubstr("element type type 99"));
  EXPECT_THAT(unsupported(model([](auto &w) {
                w.set_data_location(onnx::TensorProto::EXTERNAL);
              })),
              HasSubstr("data in another file (external data)"));
}

TEST_F(Importer, RefusesElementTypesByName) {
  ModelBuilder b(13);
  b.input("x", {2}, onnx::TensorProto::DOUBLE);
  b.node("Relu", {"x"}, {"y"});
  b.output("y");
  EXPECT_THAT(unsupported(b), HasSubstr("input 'x': has element type DOUBLE; "
                                        "supported: FLOAT and FLOAT16"));
}

TEST_F(Importer, LimitsTheSizeOfMadeUpTensors) {
  ModelBuilder b(13);
  b.input("x", {2});
  b.integers("shape", {1 << 20, 1 << 20});
  b.node("ConstantOfShape", {"shape"}, {"c"});
  b.node("Identity", {"x"}, {"y"});
  b.output("y");
  EXPECT_THAT(corrupt(b), HasSubstr("more than 2^28 elements"));
}

//===- damaged files ------------------------------------------------------===//

TEST_F(Importer, RefusesFilesThatAreNoModels) {
  auto message = [&](const std::string &text) {
    std::vector<uint8_t> bytes(text.begin(), text.end());
    Result<ImportedModel> model = importOnnxBytes(bytes, "f", {}, context);
    EXPECT_EQ(model.status().code(), StatusCode::kCorrupt);
    return model.status().message();
  };
  EXPECT_THAT(message(""), HasSubstr("the file is empty"));
  EXPECT_THAT(message("hello, world"), HasSubstr("no valid protobuf message"));
  Result<ImportedModel> missing = importOnnx("no/such/file", {}, context);
  EXPECT_EQ(missing.status().code(), StatusCode::kCorrupt);
  EXPECT_THAT(missing.status().message(), HasSubstr("no such file"));
  Result<ImportedModel> folder = importOnnx(".", {}, context);
  EXPECT_THAT(folder.status().message(), HasSubstr("it is a folder"));
}

// A model with several kinds of fields for the two tests below.
ModelBuilder sampleModel() {
  ModelBuilder b(11);
  b.input("x", {1, 2, 6, 6});
  b.weights("w", {3, 2, 3, 3}, std::vector<float>(54, 0.5f));
  b.integers("shape", {1, -1});
  auto &conv = b.node("Conv", {"x", "w"}, {"c"}, "conv");
  test::text(conv, "auto_pad", "SAME_LOWER");
  auto &pool = b.node("MaxPool", {"c"}, {"p"}, "pool");
  test::ints(pool, "kernel_shape", {2, 2});
  test::ints(pool, "strides", {2, 2});
  b.node("Reshape", {"p", "shape"}, {"r"}, "flat");
  auto &softmax = b.node("Softmax", {"r"}, {"y"}, "softmax");
  test::integer(softmax, "axis", 1);
  b.output("y");
  return b;
}

TEST_F(Importer, SurvivesTruncation) {
  std::vector<uint8_t> whole = sampleModel().bytes();
  ASSERT_TRUE(sampleModel().import(context).isOk());
  for (size_t size = 0; size < whole.size(); ++size) {
    Result<ImportedModel> model =
        importOnnxBytes(std::span(whole).first(size), "cut.onnx", {}, context);
    // Cut between two messages a file may still be a model.
    if (!model) {
      EXPECT_NE(model.status().code(), StatusCode::kInternal);
      EXPECT_FALSE(model.status().message().empty()) << size;
    }
  }
}

TEST_F(Importer, SurvivesFlippedBits) {
  std::vector<uint8_t> whole = sampleModel().bytes();
  size_t refused = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<uint8_t> bytes = whole;
    bytes[bit / 8] ^= uint8_t(1) << (bit % 8);
    Result<ImportedModel> model =
        importOnnxBytes(bytes, "flipped.onnx", {}, context);
    refused += !model.isOk();
    EXPECT_NE(model.status().code(), StatusCode::kInternal) << bit;
  }
  // Flips in weights and names leave a valid model, those in structure do not.
  EXPECT_GT(refused, whole.size());
}

//===- operators ----------------------------------------------------------===//

TEST_F(Importer, PadsSameUpperAndLower) {
  for (bool lower : {false, true}) {
    ModelBuilder b(11);
    b.input("x", {1, 1, 5, 8});
    b.weights("w", {1, 1, 2, 4}, std::vector<float>(8, 1));
    auto &conv = b.node("Conv", {"x", "w"}, {"y"});
    test::text(conv, "auto_pad", lower ? "SAME_LOWER" : "SAME_UPPER");
    test::ints(conv, "strides", {1, 3});
    b.output("y");
    Result<ImportedModel> model = b.import(context);
    ASSERT_TRUE(model.isOk()) << model.status().message();
    auto op = findOp<nn::ConvOp>(*model);
    // Rows: one pad in all. Columns: 3 outputs reach (3-1)*3+4 = 10, two pads.
    EXPECT_EQ(op.getPadsBegin(), llvm::ArrayRef<int64_t>({lower ? 1 : 0, 1}));
    EXPECT_EQ(op.getPadsEnd(), llvm::ArrayRef<int64_t>({lower ? 0 : 1, 1}));
    EXPECT_EQ(model->outputs[0].shape, Shape({1, 1, 5, 3}));
  }
}

TEST_F(Importer, BroadcastsAsOpsetOneDid) {
  ModelBuilder b(1, 3);
  b.input("x", {2, 3, 4, 5});
  b.weights("w", {3, 4}, std::vector<float>(12, 1));
  auto &add = b.node("Add", {"x", "w"}, {"y"}, "add");
  test::integer(add, "broadcast", 1);
  test::integer(add, "axis", 1);
  b.output("y");
  Result<ImportedModel> model = b.import(context);
  ASSERT_TRUE(model.isOk()) << model.status().message();
  auto op = findOp<nn::AddOp>(*model);
  EXPECT_EQ(
      mlir::cast<mlir::RankedTensorType>(op.getRhs().getType()).getShape(),
      llvm::ArrayRef<int64_t>({3, 4, 1}));

  ModelBuilder without(1, 3);
  without.input("x", {2, 3});
  without.weights("w", {3}, {1, 2, 3});
  without.node("Add", {"x", "w"}, {"y"});
  without.output("y");
  EXPECT_THAT(corrupt(without),
              HasSubstr("shapes differ and 'broadcast' is not set"));
}

TEST_F(Importer, ReshapesWithZeroAndMinusOne) {
  auto model = [](Shape target, int64_t allowZero) {
    ModelBuilder b(14);
    b.input("x", {2, 3, 4});
    b.integers("s", target);
    auto &reshape = b.node("Reshape", {"x", "s"}, {"y"});
    test::integer(reshape, "allowzero", allowZero);
    b.output("y");
    return b;
  };
  EXPECT_EQ(shapeOf(model({0, -1}, 0)), Shape({2, 12}));
  EXPECT_EQ(shapeOf(model({4, 0, -1}, 0)), Shape({4, 3, 2}));
  EXPECT_THAT(corrupt(model({5, -1}, 0)),
              HasSubstr("24 elements cannot be split into parts of 5"));
  EXPECT_THAT(corrupt(model({-1, -1}, 0)), HasSubstr("shape entry 1 is -1"));
  EXPECT_THAT(corrupt(model({1, 1, 1, 0}, 0)),
              HasSubstr("shape entry 3 is 0 but the input has rank 3"));
  EXPECT_THAT(corrupt(model({0, 24}, 1)), HasSubstr("cannot turn"));
}

TEST_F(Importer, ReshapeByAttributeInOpsetOne) {
  ModelBuilder b(1, 3);
  b.input("x", {2, 6});
  auto &reshape = b.node("Reshape", {"x"}, {"y"});
  test::ints(reshape, "shape", {3, -1});
  b.output("y");
  EXPECT_EQ(shapeOf(b), Shape({3, 4}));
}

TEST_F(Importer, ShapeInputsMustBeConstants) {
  ModelBuilder b(13);
  b.input("x", {4});
  b.input("s", {1});
  b.node("Reshape", {"x", "s"}, {"y"}, "dynamic");
  b.output("y");
  EXPECT_THAT(unsupported(b), HasSubstr("input 'shape' is computed at run "
                                        "time; supported: a constant"));
}

TEST_F(Importer, SoftmaxFlattensBeforeOpset13) {
  for (int64_t opset : {11, 13}) {
    ModelBuilder b(opset);
    b.input("x", {2, 3, 4});
    auto &softmax = b.node("Softmax", {"x"}, {"y"});
    test::integer(softmax, "axis", 1);
    b.output("y");
    Result<ImportedModel> model = b.import(context);
    ASSERT_TRUE(model.isOk()) << model.status().message();
    auto op = findOp<nn::SoftmaxOp>(*model);
    auto shape =
        mlir::cast<mlir::RankedTensorType>(op.getX().getType()).getShape();
    EXPECT_EQ(Shape(shape.begin(), shape.end()),
              opset < 13 ? Shape({2, 12}) : Shape({2, 3, 4}));
  }
}

TEST_F(Importer, SplitsEvenlyAndBySizes) {
  ModelBuilder b(18);
  b.input("x", {2, 7});
  auto &split = b.node("Split", {"x"}, {"a", "b", "c"});
  test::integer(split, "axis", 1);
  test::integer(split, "num_outputs", 3);
  b.output("c");
  EXPECT_EQ(shapeOf(b), Shape({2, 1}));

  ModelBuilder sizes(11);
  sizes.input("x", {7});
  auto &two = sizes.node("Split", {"x"}, {"a", "b"});
  test::ints(two, "split", {3, 5});
  sizes.output("a");
  EXPECT_THAT(corrupt(sizes), HasSubstr("sizes [3, 5] do not split 7 elements "
                                        "into 2 outputs"));
}

TEST_F(Importer, SlicesLikeNumpy) {
  auto model = [](Shape starts, Shape ends, Shape steps) {
    ModelBuilder b(13);
    b.input("x", {10, 4});
    b.integers("s", starts);
    b.integers("e", ends);
    b.integers("a", {0});
    b.integers("t", steps);
    b.node("Slice", {"x", "s", "e", "a", "t"}, {"y"});
    b.output("y");
    return b;
  };
  EXPECT_EQ(shapeOf(model({-3}, {1000}, {1})), Shape({3, 4}));
  EXPECT_EQ(shapeOf(model({1}, {-1}, {3})), Shape({3, 4}));
  EXPECT_THAT(unsupported(model({9}, {0}, {-1})),
              HasSubstr("step -1; supported: at least 1"));
  EXPECT_THAT(unsupported(model({5}, {5}, {1})),
              HasSubstr("the result is empty"));
}

TEST_F(Importer, DropoutPassesThroughUnlessItTrainsOrTheMaskIsUsed) {
  auto model = [](bool mask) {
    ModelBuilder b(12);
    b.input("x", {4});
    b.node("Dropout", {"x"}, {"d", "m"}, "drop");
    b.node("Relu", {mask ? "m" : "d"}, {"y"});
    b.output("y");
    return b;
  };
  EXPECT_EQ(shapeOf(model(false)), Shape({4}));
  EXPECT_THAT(unsupported(model(true)),
              HasSubstr("output 1 is used; supported: the first 1"));
}

TEST_F(Importer, FoldsShapesThroughMovedConstants) {
  ModelBuilder b(11);
  b.input("x", {2, 3, 4});
  b.integers("first", {4});
  b.integers("rest", {-1});
  auto &concat = b.node("Concat", {"first", "rest"}, {"s"});
  test::integer(concat, "axis", 0);
  b.node("Reshape", {"x", "s"}, {"y"});
  b.output("y");
  EXPECT_EQ(shapeOf(b), Shape({4, 6}));
}

TEST_F(Importer, SaysWhatDoesNotFit) {
  ModelBuilder b(13);
  b.input("x", {1, 4, 8, 8});
  b.weights("w", {2, 3, 1, 1}, std::vector<float>(6, 1));
  b.node("Conv", {"x", "w"}, {"y"}, "conv");
  b.output("y");
  EXPECT_THAT(corrupt(b), HasSubstr("weights take 3 channels per group, the "
                                    "input has 4 in 1 group(s)"));
}

} // namespace
} // namespace kiln
