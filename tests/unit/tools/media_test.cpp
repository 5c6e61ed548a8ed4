// SPDX-License-Identifier: Apache-2.0
//
// Pictures and sound as inputs: what every kind of file holds, how modifiers
// arrange it, and that damaged files are refused. Values are worked out by
// hand; files are made by media_files.h.
#include "tools/io/media.h"

#include "tests/support/folders.h"
#include "tests/unit/tools/media_files.h"
#include "tools/io/file.h"
#include "tools/io/png.h"
#include "tools/io/wav.h"

#include <bit>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tools {
namespace {

using test::Bytes;
using test::Png;
using test::Wav;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

/// 2 rows of 3 pixels: red, green, blue; black, white, (10, 20, 30).
const Png kColours = {
    .width = 3,
    .height = 2,
    .colour = 2,
    .lines = {0, 255, 0, 0, 0,   255, 0,   0,  0,  255,
              0, 0,   0, 0, 255, 255, 255, 10, 20, 30},
};
const Png kGrey = {
    .width = 3, .height = 2, .lines = {0, 0, 51, 255, 0, 1, 2, 3}};

void put(Bytes &to, uint64_t value, int size) {
  test::append(to, test::littleEndian(value, size));
}

/// Frames 0, 1, 2, ... of -32768, 0, 16384, 32767 in 16 bits.
Wav fourFrames() {
  Wav wav;
  for (int value : {-32768, 0, 16384, 32767}) {
    put(wav.data, static_cast<uint16_t>(value), 2);
  }
  return wav;
}

/// The file under a name, with modifiers.
std::string saved(const std::string &name, const Bytes &bytes) {
  std::string path = kiln::test::scratchFolder() / name;
  EXPECT_TRUE(writeFile(path, bytes).isOk());
  return path;
}

HostTensor load(const std::string &text) {
  Result<HostTensor> tensor = loadTensor(text);
  EXPECT_TRUE(tensor) << tensor.status().message();
  return tensor ? std::move(*tensor) : HostTensor();
}

std::vector<double> valuesOf(const HostTensor &tensor) {
  Result<ops::Tensor> values = toReference(tensor);
  return values ? values->values : std::vector<double>();
}

Samples picture(const Png &png) {
  Result<Samples> samples = parsePng(png.file());
  EXPECT_TRUE(samples) << samples.status().message();
  return samples ? std::move(*samples) : Samples();
}

Samples sound(const Wav &wav) {
  Result<Samples> samples = parseWav(wav.file());
  EXPECT_TRUE(samples) << samples.status().message();
  return samples ? std::move(*samples) : Samples();
}

TEST(Png, HoldsEveryDepthOfGrey) {
  EXPECT_THAT(
      picture({.width = 8, .height = 1, .depth = 1, .lines = {0, 0xa5}}).values,
      ElementsAre(255, 0, 255, 0, 0, 255, 0, 255));
  EXPECT_THAT(
      picture({.width = 4, .height = 1, .depth = 2, .lines = {0, 0x1b}}).values,
      ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(
      picture({.width = 2, .height = 1, .depth = 4, .lines = {0, 0x1f}}).values,
      ElementsAre(17, 255));
  const Samples wide = picture(
      {.width = 2, .height = 1, .depth = 16, .lines = {0, 1, 2, 255, 254}});
  EXPECT_THAT(wide.values, ElementsAre(0x0102, 0xfffe));
  EXPECT_EQ(wide.high, 65535);
}

TEST(Png, HoldsColoursPalettesAndAlpha) {
  const Samples colours = picture(kColours);
  EXPECT_THAT(colours.extents, ElementsAre(2, 3));
  EXPECT_EQ(colours.channels, 3);
  EXPECT_EQ(colours.values[17], 30);
  Png palette = {.width = 2, .height = 1, .colour = 3, .lines = {0, 1, 0}};
  palette.extra = test::pngChunk("PLTE", {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(picture(palette).values, ElementsAre(4, 5, 6, 1, 2, 3));
  test::append(palette.extra, test::pngChunk("tRNS", {7, 8}));
  EXPECT_THAT(picture(palette).values, ElementsAre(4, 5, 6, 8, 1, 2, 3, 7));
  const Samples greyAlpha = picture(
      {.width = 1, .height = 2, .colour = 4, .lines = {0, 9, 128, 0, 8, 255}});
  EXPECT_EQ(greyAlpha.channels, 2);
  EXPECT_THAT(greyAlpha.values, ElementsAre(9, 128, 8, 255));
}

TEST(Png, UndoesFiltersAndInterlacing) {
  // Sub, then Up.
  EXPECT_THAT(
      picture({.width = 3, .height = 2, .lines = {1, 10, 10, 10, 2, 1, 2, 3}})
          .values,
      ElementsAre(10, 20, 30, 11, 22, 33));
  // The seven passes of 3x3 pixels that count from 1.
  Png passes = {.width = 3, .height = 3, .interlaced = true};
  passes.lines = {0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6};
  EXPECT_THAT(picture(passes).values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Png, LeavesGammaAlone) {
  Png gamma = kGrey;
  gamma.extra = test::pngChunk("gAMA", test::bigEndian(100000));
  EXPECT_EQ(picture(gamma).values, picture(kGrey).values);
}

TEST(Png, RefusesDamagedFiles) {
  const Bytes whole = kColours.file();
  for (size_t length = 0; length < whole.size(); ++length) {
    Result<Samples> samples = parsePng(std::span(whole).first(length));
    ASSERT_FALSE(samples) << length;
    EXPECT_EQ(samples.status().code(), StatusCode::kCorrupt);
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] ^= 1 << bit % 8;
    // A name may become that of a chunk which need not be understood.
    if (Result<Samples> samples = parsePng(damaged)) {
      EXPECT_EQ(samples->values, picture(kColours).values) << bit;
    }
  }
  Png large = {.width = 1 << 14, .height = 1 << 13};
  EXPECT_EQ(parsePng(large.file()).status().code(), StatusCode::kUnsupported);
}

TEST(Wav, HoldsEveryWidth) {
  Wav wav = {.bits = 8, .data = {0, 128, 255}};
  EXPECT_THAT(sound(wav).values, ElementsAre(0, 128, 255));
  EXPECT_EQ(sound(wav).high, 256);
  EXPECT_THAT(sound(fourFrames()).values, ElementsAre(-32768, 0, 16384, 32767));
  wav = {.bits = 24, .data = {0xff, 0xff, 0xff, 0, 0, 0x80}};
  EXPECT_THAT(sound(wav).values, ElementsAre(-1, -8388608));
  wav = {.bits = 32, .data = {0xfe, 0xff, 0xff, 0xff}};
  EXPECT_THAT(sound(wav).values, ElementsAre(-2));
  EXPECT_EQ(sound(wav).low, -0x1p31);
}

TEST(Wav, HoldsFloats) {
  Wav wav = {.tag = 3, .bits = 32};
  put(wav.data, std::bit_cast<uint32_t>(-0.625f), 4);
  EXPECT_THAT(sound(wav).values, ElementsAre(-0.625));
  wav = {.tag = 3, .bits = 64};
  put(wav.data, std::bit_cast<uint64_t>(0.1), 8);
  EXPECT_THAT(sound(wav).values, ElementsAre(0.1));
}

TEST(Wav, SkipsOtherChunksAndKnowsTheExtensibleFormat) {
  Wav wav = fourFrames();
  wav.before = test::wavChunk("LIST", {1, 2, 3}); // padded to four
  wav.extensible = true;
  EXPECT_THAT(sound(wav).values, ElementsAre(-32768, 0, 16384, 32767));
}

TEST(Wav, RefusesDamagedFiles) {
  const Bytes whole = fourFrames().file();
  for (size_t length = 0; length < whole.size(); ++length) {
    Result<Samples> samples = parseWav(std::span(whole).first(length));
    ASSERT_FALSE(samples) << length;
    EXPECT_EQ(samples.status().code(), StatusCode::kCorrupt);
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] ^= 1 << bit % 8;
    if (Result<Samples> samples = parseWav(damaged)) {
      EXPECT_LE(samples->values.size(), 8u) << bit; // as bytes at the most
    }
  }
}

TEST(Wav, SaysWhatIsNotSupported) {
  Wav wav = {.tag = 6, .bits = 8, .data = {1}}; // A-law
  Result<Samples> samples = parseWav(wav.file());
  EXPECT_EQ(samples.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(samples.status().message(), HasSubstr("format 6 of 8 bits"));
  wav = {.channels = 2, .data = {1, 2}};
  EXPECT_THAT(parseWav(wav.file()).status().message(),
              HasSubstr("no whole number of frames"));
}

TEST(Media, APictureIsNchwFloatsFrom0To1) {
  const HostTensor colours = load(saved("colours.png", kColours.file()));
  EXPECT_EQ(describe(colours), "1x3x2x3 f32");
  EXPECT_THAT(valuesOf(colours),
              ElementsAreArray<double>({1, 0, 0, 0, 1, float(10 / 255.), //
                                        0, 1, 0, 0, 1, float(20 / 255.), //
                                        0, 0, 1, 0, 1, float(30 / 255.)}));
  const HostTensor grey = load(saved("grey.png", kGrey.file()));
  EXPECT_EQ(describe(grey), "1x1x2x3 f32");
}

TEST(Media, TheLayoutOrdersThePixels) {
  const std::string file = saved("layout.png", kColours.file());
  const HostTensor last = load(file + ":layout=nhwc:type=u8");
  EXPECT_EQ(describe(last), "1x2x3x3 u8");
  EXPECT_THAT(last.bytes,
              ElementsAreArray({255, 0, 0, 0, 255, 0, 0, 0, 255, //
                                0, 0, 0, 255, 255, 255, 10, 20, 30}));
  EXPECT_EQ(describe(load(file + ":layout=chw")), "3x2x3 f32");
  // Columns of rows: the transposed picture.
  EXPECT_THAT(load(file + ":layout=wh:channels=grey:type=u8").bytes,
              ElementsAre(76, 0, 150, 255, 29, 18));
}

TEST(Media, ChannelsAreChosenByName) {
  const std::string file = saved("channels.png", kColours.file());
  EXPECT_THAT(load(file + ":layout=hwc:channels=bgr:type=u8").bytes,
              ElementsAreArray({0, 0, 255, 0, 255, 0, 255, 0, 0, //
                                0, 0, 0, 255, 255, 255, 30, 20, 10}));
  const HostTensor opaque = load(file + ":layout=hwc:channels=rgba:type=u8");
  EXPECT_EQ(describe(opaque), "2x3x4 u8");
  EXPECT_EQ(opaque.bytes[3], 255);
  Png alpha = {.width = 1, .height = 1, .colour = 6, .lines = {0, 1, 2, 3, 4}};
  const std::string clear = saved("alpha.png", alpha.file());
  EXPECT_THAT(load(clear + ":type=u8").bytes, ElementsAre(1, 2, 3));
  EXPECT_THAT(load(clear + ":channels=rgba:type=u8").bytes,
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(
      load(saved("g.png", kGrey.file()) + ":channels=rgb:layout=whc:type=u8")
          .bytes,
      ElementsAreArray({0, 0, 0, 1, 1, 1, 51, 51, 51, 2, 2, 2, //
                        255, 255, 255, 3, 3, 3}));
}

TEST(Media, RangeMeanAndDeviationScale) {
  const std::string file = saved("scale.png", kGrey.file());
  EXPECT_THAT(valuesOf(load(file + ":range=-1..1:layout=hw")),
              ElementsAre(-1, float(-0.6), 1, float(1 / 127.5 - 1),
                          float(2 / 127.5 - 1), float(3 / 127.5 - 1)));
  EXPECT_THAT(valuesOf(load(file + ":range=0..255:type=f16:layout=hw")),
              ElementsAre(0, 51, 255, 1, 2, 3));
  EXPECT_THAT(load(file + ":range=-128..127:type=i8").bytes,
              ElementsAre(0x80, 0xb3, 0x7f, 0x81, 0x82, 0x83));
  const std::string colours = saved("mean.png", kColours.file());
  const auto scaled = valuesOf(load(
      colours + ":layout=hwc:mean=0.485,0.456,0.406:std=0.229,0.224,0.225"));
  EXPECT_EQ(scaled[0], float((1 - 0.485) / 0.229));
  EXPECT_EQ(scaled[1], float((0 - 0.456) / 0.224));
  EXPECT_EQ(scaled[17], float((30 / 255. - 0.406) / 0.225));
}

TEST(Media, SoundIsFramesFromMinus1To1) {
  const std::string file = saved("sound.wav", fourFrames().file());
  EXPECT_EQ(describe(load(file)), "1x4 f32");
  EXPECT_THAT(valuesOf(load(file)), ElementsAre(-1, 0, 0.5, 32767 / 32768.));
  EXPECT_THAT(valuesOf(load(file + ":frames=1+2:layout=t")),
              ElementsAre(0, 0.5));
  EXPECT_THAT(valuesOf(load(file + ":type=i16")),
              ElementsAre(-32768, 0, 16384, 32767));
  Wav stereo = fourFrames();
  stereo.channels = 2;
  const std::string two = saved("stereo.wav", stereo.file());
  EXPECT_EQ(describe(load(two)), "1x2x2 f32");
  EXPECT_THAT(valuesOf(load(two + ":layout=tc")),
              ElementsAre(-1, 0, 0.5, 32767 / 32768.));
  EXPECT_THAT(valuesOf(load(two + ":layout=ct")),
              ElementsAre(-1, 0.5, 0, 32767 / 32768.));
  EXPECT_THAT(valuesOf(load(two + ":channels=mono")),
              ElementsAre(-0.5, float(49151 / 65536.)));
}

TEST(Media, BadModifiersAreNamedWithWhatIsExpected) {
  const std::string png = saved("bad.png", kColours.file());
  const std::string wav = saved("bad.wav", fourFrames().file());
  Wav floats = {.tag = 3, .bits = 32, .data = {0, 0, 0, 0}};
  const std::string real = saved("floats.wav", floats.file());
  const std::pair<std::string, const char *> cases[] = {
      {png + ":size=8", "'size=8': expected one of layout, type, channels"},
      {png + ":", "expected one of layout"},
      {png + ":layout", "expected letters such as nchw"},
      {png + ":layout=nhw", "layout=nhw: expected each of 'hwc' once"},
      {png + ":layout=nchhw", "expected each of 'hwc' once"},
      {png + ":layout=nct", "expected each of 'hwc' once"},
      {wav + ":layout=hw", "expected each of 't' once"},
      {png + ":type=f12", "expected a number type"},
      {png + ":channels=cmyk", "expected grey, rgb, bgr or rgba"},
      {wav + ":channels=rgb", "expected mono"},
      {png + ":range=0-1", "expected LOW..HIGH"},
      {png + ":mean=1,,2", "expected numbers with ','"},
      {png + ":mean=1,2", "mean has 2 numbers, the file 3 channels"},
      {png + ":std=0", "expected numbers other than 0"},
      {png + ":frames=0+1", "frames is for sound"},
      {wav + ":frames=3+2", "the sound has 4 frames"},
      {wav + ":frames=9223372036854775807+1", "the sound has 4 frames"},
      {png + ":type=i8", "255 does not fit i8; give range="},
      {real + ":type=i16", "needs range=LOW..HIGH"},
  };
  for (const auto &[text, message] : cases) {
    Result<HostTensor> tensor = loadTensor(text);
    ASSERT_FALSE(tensor) << text;
    EXPECT_EQ(tensor.status().code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(tensor.status().message(), HasSubstr(message)) << text;
  }
}

TEST(Media, ModifiersBeginBehindTheExtension) {
  EXPECT_TRUE(isMedia("a=b/cat.png"));
  EXPECT_TRUE(isMedia("x:y.wav:mean=1"));
  EXPECT_FALSE(isMedia("cat.npy"));
  EXPECT_FALSE(isMedia("random:f32:1:2"));
  EXPECT_EQ(modifiersAt("in:0=cat.png:mean=0.5"), 12u);
  EXPECT_EQ(modifiersAt("in:0=cat.npy"), 12u);
}

} // namespace
} // namespace kiln::tools
