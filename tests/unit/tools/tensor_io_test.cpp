// SPDX-License-Identifier: Apache-2.0
#include "tests/support/folders.h"
#include "tools/io/compare.h"
#include "tools/io/file.h"
#include "tools/io/npy.h"
#include "tools/io/onnx_tensor.h"

#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tools {
namespace {

using ops::DataType;
using testing::HasSubstr;

const std::filesystem::path kDigits = "tools/digits";

HostTensor floats(ops::Shape shape, std::vector<float> values) {
  HostTensor t{{}, DataType::F32, std::move(shape), {}};
  t.bytes.resize(values.size() * sizeof(float));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

std::filesystem::path scratch(const std::string &name) {
  return test::scratchFolder() / name;
}

TEST(TensorFile, NumpysOwnFileIsRead) {
  Result<HostTensor> t = loadTensor(kDigits / "images/digit_3.npy");
  ASSERT_TRUE(t) << t.status().message();
  EXPECT_EQ(describe(*t), "1x1x8x8 f32");
  // The same image, written by onnx.numpy_helper.
  Result<HostTensor> pb =
      loadTensor(kDigits / "digits.test_data/test_data_set_3/input_0.pb");
  ASSERT_TRUE(pb) << pb.status().message();
  EXPECT_EQ(pb->bytes, t->bytes);
  EXPECT_EQ(pb->name, "image");
}

TEST(TensorFile, EveryTypeAndRankSurvivesARoundTrip) {
  for (DataType type :
       {DataType::Bool, DataType::I8, DataType::U8, DataType::I16,
        DataType::U16, DataType::I32, DataType::U32, DataType::I64,
        DataType::U64, DataType::F16, DataType::F32, DataType::F64}) {
    for (const ops::Shape &shape :
         {ops::Shape{}, ops::Shape{5}, ops::Shape{2, 3}, ops::Shape{0, 4}}) {
      HostTensor t{"t", type, shape, {}};
      t.bytes.resize(ops::elementCount(shape) * ops::sizeOf(type), 1);
      for (const char *extension : {".npy", ".pb"}) {
        auto path = scratch(std::string("round") + extension);
        ASSERT_TRUE(saveTensor(path, t).isOk());
        Result<HostTensor> back = loadTensor(path);
        ASSERT_TRUE(back) << back.status().message();
        EXPECT_EQ(back->type, type);
        EXPECT_EQ(back->shape, shape);
        EXPECT_EQ(back->bytes, t.bytes);
      }
    }
  }
}

TEST(TensorFile, RawNeedsTypeAndShape) {
  auto path = scratch("raw.bin");
  ASSERT_TRUE(saveTensor(path, floats({2}, {1, 2})).isOk());
  EXPECT_EQ(loadTensor(path).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(loadTensor(path, RawFormat{DataType::F32, {1, 2}}));
  Result<HostTensor> wrong = loadTensor(path, RawFormat{DataType::F32, {3}});
  EXPECT_THAT(wrong.status().message(), HasSubstr("8 bytes"));
}

TEST(TensorFile, EveryTruncationOfANumpyFileIsRefused) {
  Result<std::vector<uint8_t>> whole = readFile(kDigits / "images/digit_0.npy");
  ASSERT_TRUE(whole);
  for (size_t size = 0; size < whole->size(); ++size) {
    std::vector<uint8_t> part(whole->begin(), whole->begin() + size);
    EXPECT_EQ(parseNpy(part).status().code(), StatusCode::kCorrupt) << size;
  }
}

TEST(TensorFile, ImpossibleDimensionsAreRefused) {
  HostTensor t = floats({2}, {1, 2});
  Result<std::vector<uint8_t>> npy = formatNpy(t);
  std::string text(npy->begin(), npy->end());
  size_t at = text.find("(2,)");
  text.replace(at, 4, "(9,)");
  std::vector<uint8_t> changed(text.begin(), text.end());
  EXPECT_EQ(parseNpy(changed).status().code(), StatusCode::kCorrupt);
}

TEST(OutputFile, AppearsCompleteOrNotAtAll) {
  auto path = scratch("missing_folder") / "x.npy";
  Status status = saveTensor(path, floats({1}, {1}));
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_THAT(status.message(), HasSubstr(path.string()));
  auto folder = scratch("folder");
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(saveTensor(folder / "y.npy", floats({1}, {1})).isOk());
  size_t files = 0;
  for ([[maybe_unused]] const auto &e :
       std::filesystem::directory_iterator(folder)) {
    ++files;
  }
  EXPECT_EQ(files, 1u) << "a temporary file was left behind";
}

TEST(Compare, AnElementPassesOnTheBoundAndFailsBeyond) {
  HostTensor want = floats({2}, {2, 4});
  EXPECT_TRUE(compare(floats({2}, {2.5f, 4}), want, {0, 0.5})->passed);
  EXPECT_TRUE(compare(floats({2}, {2.5f, 4}), want, {0.25, 0})->passed);
  Result<Comparison> c = compare(floats({2}, {2.5f, 4}), want, {0, 0.4999});
  EXPECT_FALSE(c->passed);
  EXPECT_EQ(c->failing, 1);
  EXPECT_EQ(c->worst, 0);
  EXPECT_EQ(c->maxAbsolute, 0.5);
  EXPECT_EQ(c->maxRelative, 0.25);
  EXPECT_THAT(c->describe({2}), HasSubstr("1 of 2 elements differ"));
}

TEST(Compare, UlpIsTheSpacingOfTheWantedValue) {
  float next = std::nextafter(1.0f, 2.0f);
  EXPECT_EQ(compare(floats({1}, {next}), floats({1}, {1}), {})->maxUlp, 1);
  HostTensor zero = floats({1}, {0}), tiny = floats({1}, {1e-45f});
  EXPECT_EQ(compare(tiny, zero, {})->maxUlp, 1);
}

TEST(Compare, NanAndInfinityMatchOnlyThemselves) {
  float nan = std::nanf(""), inf = HUGE_VALF;
  HostTensor want = floats({3}, {nan, inf, -inf});
  EXPECT_TRUE(compare(want, want, {})->passed);
  EXPECT_FALSE(
      compare(floats({3}, {0, inf, -inf}), want, {1e30, 1e30})->passed);
  EXPECT_FALSE(
      compare(floats({3}, {nan, -inf, -inf}), want, {1e30, 1e30})->passed);
  EXPECT_FALSE(
      compare(floats({1}, {nan}), floats({1}, {1}), {1e30, 1e30})->passed);
}

TEST(OutputFile, APipeIsWrittenAndStaysOne) {
  const auto path = scratch("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  EXPECT_TRUE(checkWritable(path).isOk());
  Status status = writeFile(path, std::string_view("text"));
  EXPECT_TRUE(status.isOk()) << status.message();
  char text[8] = {};
  EXPECT_EQ(::read(reader, text, sizeof text), 4);
  EXPECT_STREQ(text, "text");
  const auto link = scratch("pipe_link");
  std::filesystem::create_symlink(path, link);
  EXPECT_TRUE(writeFile(link, std::string_view("more")).isOk());
  EXPECT_EQ(::read(reader, text, sizeof text), 4);
  EXPECT_STREQ(text, "more");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  ::close(reader);
}

TEST(OutputFile, ALinkStaysOneAndWhatItNamesIsWritten) {
  const auto folder = scratch("linked"), link = scratch("link");
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "file") << "old";
  std::filesystem::create_symlink("linked/file", link);
  ASSERT_TRUE(writeFile(link, std::string_view("new")).isOk());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  Result<std::vector<uint8_t>> bytes = readFile(folder / "file");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(std::string(bytes->begin(), bytes->end()), "new");
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_EQ(entry.path().filename(), "file"); // nothing temporary
  }
}

TEST(OutputFile, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(scratch("taken")) << "a file";
  EXPECT_TRUE(makeFolder(scratch("a/b/c")).isOk());
  EXPECT_TRUE(makeFolder(scratch("a/b/c")).isOk());
  for (const char *name : {"taken", "taken/below"}) {
    Status status = makeFolder(scratch(name));
    EXPECT_EQ(status.code(), StatusCode::kCorrupt) << name;
    EXPECT_THAT(status.message(), HasSubstr(scratch(name).string()));
  }
  EXPECT_EQ(checkWritable(scratch("none/x")).code(), StatusCode::kCorrupt);
}

TEST(Compare, IntegersIgnoreTheTolerance) {
  HostTensor a{{}, DataType::I8, {1}, {3}}, b{{}, DataType::I8, {1}, {4}};
  EXPECT_FALSE(compare(a, b, {10, 10})->passed);
}

TEST(Compare, DifferentShapesAreAnError) {
  EXPECT_EQ(
      compare(floats({2}, {1, 2}), floats({1, 2}, {1, 2}), {}).status().code(),
      StatusCode::kInvalidArgument);
}

TEST(Compare, CosineAndRelativeL2SeeTheWholeTensor) {
  Result<Comparison> c = compare(floats({2}, {1, 0}), floats({2}, {0, 1}), {});
  EXPECT_NEAR(c->cosine, 0, 1e-12);
  EXPECT_NEAR(c->relativeL2, std::sqrt(2), 1e-12);
  EXPECT_FALSE(c->sameTop1);
}

} // namespace
} // namespace kiln::tools
