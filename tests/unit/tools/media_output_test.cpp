// SPDX-License-Identifier: Apache-2.0
//
// Tensors as pictures and sound: bytes by the formats' definitions (zlib alone
// decodes the pictures), values by hand, and what was read comes back.
#include "tools/io/media.h"

#include "tests/support/folders.h"
#include "tests/unit/tools/media_files.h"
#include "tools/io/file.h"
#include "tools/io/png.h"
#include "tools/io/wav.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tools {
namespace {

using ops::DataType;
using test::Bytes;
using test::Png;
using test::Wav;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

HostTensor tensor(DataType type, ops::Shape shape, std::vector<double> values) {
  ops::Tensor t(type, std::move(shape));
  EXPECT_EQ(t.values.size(), values.size());
  t.values = std::move(values);
  ops::roundTo(t);
  return fromReference(t, "y");
}

HostTensor floats(ops::Shape shape, std::vector<double> values) {
  return tensor(DataType::F32, std::move(shape), std::move(values));
}

std::string scratch(const std::string &name) {
  return kiln::test::scratchFolder() / name;
}

/// What saving gives.
Bytes fileWith(const std::string &name, const HostTensor &t) {
  Status status = saveTensor(scratch(name), t);
  EXPECT_TRUE(status.isOk()) << status.message();
  Result<Bytes> bytes = readFile(fileOf(scratch(name)));
  return bytes ? std::move(*bytes) : Bytes();
}

/// The samples of what saving gives; the readers have tests of their own.
std::vector<double> samplesWith(const std::string &name, const HostTensor &t) {
  const Bytes bytes = fileWith(name, t);
  Result<Samples> samples =
      fileOf(name).extension() == ".png" ? parsePng(bytes) : parseWav(bytes);
  EXPECT_TRUE(samples) << samples.status().message();
  return samples ? std::move(samples->values) : std::vector<double>();
}

/// The chunks of a PNG file in order, each with a correct checksum.
std::vector<std::pair<std::string, Bytes>> chunksOf(const Bytes &file) {
  std::vector<std::pair<std::string, Bytes>> chunks;
  for (size_t at = 8; at + 12 <= file.size();) {
    const size_t size =
        file[at] << 24 | file[at + 1] << 16 | file[at + 2] << 8 | file[at + 3];
    const std::string name(file.begin() + at + 4, file.begin() + at + 8);
    const Bytes data(file.begin() + at + 8, file.begin() + at + 8 + size);
    const Bytes whole(file.begin() + at, file.begin() + at + 12 + size);
    EXPECT_EQ(whole, test::pngChunk(name, data)) << name;
    chunks.push_back({name, data});
    at += 12 + size;
  }
  return chunks;
}

/// The rows after inflate and without their filters (ISO/IEC 15948, 9.2);
/// `step` is the bytes of a pixel.
Bytes rowsOf(const Bytes &packed, size_t height, size_t width, size_t step) {
  const size_t stride = width * step;
  Bytes lines(height * (stride + 1)), rows;
  uLongf size = lines.size();
  EXPECT_EQ(uncompress(lines.data(), &size, packed.data(), packed.size()),
            Z_OK);
  EXPECT_EQ(size, lines.size());
  for (size_t y = 0; y < height; ++y) {
    for (size_t i = 0; i < stride; ++i) {
      const int a = i < step ? 0 : rows[y * stride + i - step],
                b = y == 0 ? 0 : rows[(y - 1) * stride + i],
                c = i < step || y == 0 ? 0 : rows[(y - 1) * stride + i - step],
                pa = std::abs(b - c), pb = std::abs(a - c),
                pc = std::abs(a + b - 2 * c);
      const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const int predicted[] = {0, a, b, (a + b) / 2, paeth};
      const size_t line = y * (stride + 1);
      rows.push_back(lines[line + 1 + i] + predicted[lines[line]]);
    }
  }
  return rows;
}

TEST(PngWriter, WritesWhatTheDefinitionSays) {
  for (int channels : {1, 2, 3, 4}) {
    for (bool wide : {false, true}) {
      Samples picture = {{5, 7}, channels, 0, wide ? 65535. : 255., {}};
      Bytes want;
      for (int i = 0; i < 35 * channels; ++i) {
        const int value = static_cast<int>(
            (static_cast<uint32_t>(i * i) * 2654435U) & (wide ? 65535U : 255U));
        picture.values.push_back(value);
        if (wide) {
          want.push_back(value >> 8);
        }
        want.push_back(value);
      }
      Result<Bytes> file = formatPng(picture);
      ASSERT_TRUE(file) << file.status().message();
      const Bytes signature = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
      EXPECT_EQ(Bytes(file->begin(), file->begin() + 8), signature);
      auto chunks = chunksOf(*file);
      ASSERT_EQ(chunks.size(), 3u);
      const uint8_t depth = wide ? 16 : 8,
                    colour = std::array{0, 4, 2, 6}[channels - 1];
      EXPECT_EQ(chunks[0].first, "IHDR");
      EXPECT_THAT(chunks[0].second,
                  ElementsAre(0, 0, 0, 7, 0, 0, 0, 5, depth, colour, 0, 0, 0));
      EXPECT_EQ(chunks[1].first, "IDAT");
      EXPECT_EQ(rowsOf(chunks[1].second, 5, 7, channels * (wide ? 2 : 1)),
                want);
      EXPECT_EQ(chunks[2].first, "IEND");
    }
  }
}

TEST(PngWriter, SaysWhatLibpngRefuses) {
  Samples wide = {{1, 2000000}, 1, 0, 255, std::vector<double>(2000000)};
  EXPECT_EQ(formatPng(wide).status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(formatPng(wide).status().message(), HasSubstr(".png: "));
  Samples large = {{1 << 14, 1 << 13}, 1, 0, 255, {}};
  EXPECT_THAT(formatPng(large).status().message(), HasSubstr("2^26 pixels"));
}

/// The file of wav.h's tests: chunks put together by hand.
Bytes wavOf(uint16_t tag, uint16_t channels, uint16_t bits, const Bytes &data) {
  Wav wav = {.tag = tag, .channels = channels, .bits = bits, .data = data};
  return wav.file();
}

TEST(WavWriter, WritesWhatTheDefinitionSays) {
  const Samples bytes = {{3}, 1, 0, 256, {0, 128, 255}};
  EXPECT_EQ(*formatWav(bytes, {DataType::U8}), wavOf(1, 1, 8, {0, 128, 255}));
  const Samples words = {{1}, 2, -32768, 32768, {-32768, 258}};
  EXPECT_EQ(*formatWav(words, {DataType::I16}),
            wavOf(1, 2, 16, {0, 0x80, 2, 1}));
  const Samples longs = {{1}, 1, -0x1p31, 0x1p31, {-2}};
  EXPECT_EQ(*formatWav(longs, {DataType::I32}),
            wavOf(1, 1, 32, {0xfe, 0xff, 0xff, 0xff}));
}

TEST(WavWriter, FloatsHaveTheChunksThatTheyNeed) {
  const Samples two = {{2}, 1, -1, 1, {0.25, -3}};
  Bytes format = test::littleEndian(3, 2), data, body = test::text("WAVE");
  for (auto [value, size] :
       {std::pair(1, 2), {22050, 4}, {88200, 4}, {4, 2}, {32, 2}, {0, 2}}) {
    test::append(format, test::littleEndian(value, size));
  }
  for (float value : {0.25f, -3.0f}) {
    test::append(data, test::littleEndian(std::bit_cast<uint32_t>(value), 4));
  }
  test::append(body, test::wavChunk("fmt ", format));
  test::append(body, test::wavChunk("fact", test::littleEndian(2, 4)));
  test::append(body, test::wavChunk("data", data));
  EXPECT_EQ(*formatWav(two, {DataType::F32, 22050}),
            test::wavChunk("RIFF", body));
  EXPECT_EQ(parseWav(*formatWav(two, {DataType::F64}))->values, two.values);
}

TEST(WavWriter, RefusesWhatAFileCannotCount) {
  const Samples one = {{1}, 8000, -1, 1, std::vector<double>(8000)};
  EXPECT_TRUE(formatWav(one, {DataType::F64, 60000}));
  Result<Bytes> file = formatWav(one, {DataType::F64, 70000});
  EXPECT_EQ(file.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(file.status().message(), HasSubstr("4480000000 in a second"));
}

TEST(MediaOutput, WhatWasReadComesBack) {
  Png colours = {.width = 3, .height = 2, .colour = 2};
  colours.lines = {0, 255, 0, 0, 0,   255, 1,   0,  0,  254,
                   0, 7,   0, 0, 255, 255, 255, 10, 20, 30};
  Png alpha = {.width = 1, .height = 2, .colour = 6};
  alpha.lines = {0, 1, 2, 3, 4, 0, 250, 128, 127, 1};
  Png wide = {.width = 2, .height = 1, .depth = 16, .lines = {0, 1, 2, 255, 0}};
  Wav stereo = {.channels = 2, .data = {0, 0x80, 0xff, 0x7f, 1, 0, 0xfe, 0xff}};
  const std::tuple<std::string, Bytes, std::string, std::string> cases[] = {
      {"a.png", colours.file(), "", ""},
      {"b.png", colours.file(), ":layout=whc:channels=bgr:type=f16",
       ":type=u8"},
      {"c.png", colours.file(), ":type=u8", ""},
      {"d.png", colours.file(), ":mean=0.4,0.5,0.6:std=0.2,0.3,0.1", ""},
      {"e.png", colours.file(), ":channels=bgr:mean=0.4,9,0.6:range=-3..1", ""},
      {"f.png", alpha.file(), ":channels=rgba:layout=hwc", ""},
      {"g.png", wide.file(), "", ":type=u16"},
      {"h.png", wide.file(), ":type=u16", ""},
      {"i.wav", stereo.file(), "", ""},
      {"j.wav", stereo.file(), ":layout=tnc:range=0..9", ""},
      {"k.wav", stereo.file(), ":type=i16", ""},
      {"l.wav", stereo.file(), ":type=i32", ":type=i16"},
      {"m.wav", wavOf(1, 1, 8, {0, 9, 255}), "", ":type=u8"},
      {"n.wav", wavOf(1, 1, 8, {0, 9, 255}), ":type=u8", ""},
  };
  for (const auto &[name, bytes, modifiers, more] : cases) {
    ASSERT_TRUE(writeFile(scratch(name), bytes).isOk());
    Result<HostTensor> read = loadTensor(scratch(name + modifiers));
    ASSERT_TRUE(read) << name << ": " << read.status().message();
    std::string undo = modifiers; // but for the type, which is the tensor's
    if (size_t at = undo.find(":type="); at != std::string::npos) {
      undo.erase(at);
    }
    const Bytes again = fileWith("again_" + name + undo + more, *read);
    if (name.ends_with(".wav")) {
      EXPECT_EQ(again, bytes) << name;
    } else {
      Result<Samples> want = parsePng(bytes), got = parsePng(again);
      ASSERT_TRUE(want && got) << name;
      EXPECT_EQ(got->values, want->values) << name;
      EXPECT_EQ(got->extents, want->extents) << name;
      EXPECT_EQ(got->high, want->high) << name;
    }
  }
}

TEST(MediaOutput, LayoutsFollowTheRank) {
  const std::vector<double> six = {0, 1, 0.2, 0.4, 0.6, 0.8};
  const auto asRows = ElementsAre(0, 255, 51, 102, 153, 204);
  EXPECT_THAT(samplesWith("a.png", floats({2, 3}, six)), asRows);
  EXPECT_THAT(samplesWith("a.png", floats({1, 2, 3}, six)), asRows);
  EXPECT_THAT(samplesWith("a.png", floats({1, 1, 2, 3}, six)), asRows);
  EXPECT_THAT(samplesWith("a.png:layout=whn", floats({3, 2, 1}, six)),
              ElementsAre(0, 51, 153, 255, 102, 204));
  // Three planes of one row become pixels.
  EXPECT_THAT(samplesWith("a.png", floats({3, 1, 2}, six)),
              ElementsAre(0, 51, 153, 255, 102, 204));
  const auto asWords = ElementsAre(0, 32767, 6554, 13107, 19661, 26214);
  EXPECT_THAT(samplesWith("a.wav", floats({6}, six)), asWords);
  EXPECT_THAT(samplesWith("a.wav", floats({1, 6}, six)), asWords);
  EXPECT_THAT(samplesWith("a.wav", floats({1, 1, 6}, six)), asWords);
  EXPECT_THAT(samplesWith("a.wav", floats({1, 2, 3}, six)),
              ElementsAre(0, 13107, 32767, 19661, 6554, 26214));
  EXPECT_THAT(samplesWith("a.wav:layout=tc:frames=1+2", floats({3, 2}, six)),
              ElementsAre(6554, 13107, 19661, 26214));
  EXPECT_TRUE(samplesWith("a.wav", floats({0}, {})).empty());
}

TEST(MediaOutput, NumbersAreRoundedToEvenAndKeptInRange) {
  EXPECT_THAT(samplesWith("a.png:range=0..255",
                          floats({1, 6}, {0.5, 1.5, 2.5, 254.4, -0.5, 255.4})),
              ElementsAre(0, 2, 2, 254, 0, 255));
  EXPECT_THAT(
      samplesWith("a.png:outside=clip", floats({1, 3}, {-7, 0.5, 1.01})),
      ElementsAre(0, 128, 255));
}

TEST(MediaOutput, TypesOfIntegersAreKept) {
  EXPECT_THAT(samplesWith("a.png", tensor(DataType::I64, {1, 3}, {0, 9, 255})),
              ElementsAre(0, 9, 255));
  const HostTensor words = tensor(DataType::U16, {1, 2}, {0, 65535});
  EXPECT_EQ(fileWith("a.png", words)[24], 16); // IHDR's depth
  EXPECT_EQ(fileWith("a.png:type=u8:range=0..65535", words)[24], 8);
  const HostTensor longs = tensor(DataType::I32, {2}, {-0x1p31, 7});
  EXPECT_EQ(fileWith("a.wav", longs),
            wavOf(1, 1, 32, {0, 0, 0, 0x80, 7, 0, 0, 0}));
}

TEST(MediaOutput, FloatsOfSoundPassFullScale) {
  const std::vector<double> loud = {-2, 0.1, 3};
  EXPECT_EQ(samplesWith("a.wav:type=f64", tensor(DataType::F64, {3}, loud)),
            loud);
}

TEST(MediaOutput, WhatIsNoPictureOrSoundIsRefusedAndLeavesNoFile) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const HostTensor pixel = floats({1, 1}, {0.5}), frame = floats({1}, {0.5});
  const std::tuple<std::string, HostTensor, const char *> cases[] = {
      {"x.png", frame, "the tensor has 1 dimensions, a picture 2 to 4"},
      {"x.png", floats({}, {1}), "'y' scalar f32: the tensor has 0 dimensions"},
      {"x.wav", floats({1, 1, 1, 1}, {0}), "4 dimensions, a sound 1 to 3"},
      {"x.png", floats({2, 1, 1, 1}, {0, 0}), "as nchw the tensor has n = 2"},
      {"x.png", floats({1, 1, 2, 3}, {0, 0, 0, 0, 0, 0}), ""},
      {"x.png", floats({1, 2, 1, 1}, {0, 0}), "has 2 channels, but a picture"},
      {"x.png:channels=bgr", pixel, "channels=bgr of a picture means 3"},
      {"x.png:channels=mono", pixel, "expected grey, rgb, bgr or rgba"},
      {"x.wav:channels=rgb", frame, "expected mono of a sound"},
      {"x.wav:channels=mono", floats({1, 2, 1}, {0, 0}), "a sound has 1 to 1"},
      {"x.png", floats({0, 4}, {}), "0x4 pixels are no picture"},
      {"x.png:layout=hwt", pixel, "layout=hwt: expected each of 'hw' once"},
      {"x.png:layout=hhw", pixel, "expected each of 'hw' once"},
      {"x.wav:layout=c", frame, "expected each of 't' once"},
      {"x.png:layout=nchw", pixel, "names 4 dimensions, the tensor has 2"},
      {"x.png:type=f32", pixel, "expected u8 or u16 of a picture"},
      {"x.wav:type=i64", frame, "expected i16, u8, i32, f32 or f64"},
      {"x.png", tensor(DataType::Bool, {1, 1}, {1}), "truth values"},
      {"x.png", floats({1, 3}, {1, 1.5, -1}),
       "2 of 3 values do not fit u8 with 0..1 as full scale, the first is 1.5"},
      {"x.png:outside=clip", floats({1, 1}, {kNan}), "first is nan"},
      {"x.png:outside=clip", floats({1, 1}, {-INFINITY}), "first is -inf"},
      {"x.wav:type=f32", floats({1}, {kNan}), "first is nan"},
      {"x.wav", floats({1}, {1.001}), "outside=clip"},
      {"x.wav", tensor(DataType::I16, {1}, {-1}), ""},
      {"x.wav:type=u8", tensor(DataType::I16, {1}, {256}), "do not fit u8"},
      {"x.wav:type=f32", tensor(DataType::I16, {1}, {1}), "needs range="},
      {"x.png:range=1..1", pixel, "range=1..1: both ends are equal"},
      {"x.png:mean=1,2", pixel, "mean has 2 numbers, the file 1 channels"},
      {"x.png:frames=0+1", pixel, "frames is for sound"},
      {"x.wav:frames=1+1", frame, "the sound has 1 frames"},
      {"x.wav:rate=0", frame, "expected frames per second"},
      {"x.wav:rate=fast", frame, "expected frames per second"},
      {"x.png:outside=wrap", pixel, "expected clip"},
      {"x.png:size=8", pixel, "frames, rate, outside as key"},
  };
  for (const auto &[name, t, message] : cases) {
    Status status = saveTensor(scratch(name), t);
    if (message[0] == '\0') { // its neighbours fail for one reason only
      EXPECT_TRUE(status.isOk()) << status.message();
      std::filesystem::remove(fileOf(scratch(name)));
      continue;
    }
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(status.message(), HasSubstr(message)) << name;
    EXPECT_THAT(status.message(), HasSubstr(scratch(name))) << name;
    EXPECT_FALSE(std::filesystem::exists(fileOf(scratch(name)))) << name;
  }
}

TEST(MediaOutput, CanBeCheckedBeforeThereIsATensor) {
  EXPECT_TRUE(checkOutput(scratch("x.png:type=u16:outside=clip")).isOk());
  EXPECT_TRUE(checkOutput("x.wav:rate=8000").isOk());
  EXPECT_EQ(checkOutput("x.png:type=i16").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(checkOutput(scratch("no/x.png")).code(), StatusCode::kCorrupt);
  EXPECT_EQ(checkOutput(kiln::test::scratchFolder()).code(),
            StatusCode::kCorrupt);
  // The keys of outputs are for outputs.
  EXPECT_THAT(loadTensor("x.wav:rate=8000").status().message(),
              HasSubstr("expected one of layout"));
}

} // namespace
} // namespace kiln::tools
