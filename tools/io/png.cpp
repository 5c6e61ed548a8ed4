// SPDX-License-Identifier: Apache-2.0
#include "tools/io/png.h"

#include <bit>
#include <csetjmp>
#include <cstring>
#include <string>

#include <png.h>

namespace kiln::tools {
namespace {

constexpr uint64_t kMostPixels = uint64_t{1} << 26;

/// All that lives while libpng may jump back to read().
struct Reader {
  explicit Reader(std::span<const uint8_t> file) : rest(file) {}
  Reader(const Reader &) = delete;
  Reader &operator=(const Reader &) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const uint8_t> rest; // not read yet
  std::string error;
  bool tooLarge = false;
  std::vector<uint8_t> pixels;
  std::vector<uint8_t *> rows;
};

/// The error pointer is a string.
void fail(png_structp png, png_const_charp message) {
  *static_cast<std::string *>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

void readBytes(png_structp png, png_bytep to, size_t count) {
  auto &reader = *static_cast<Reader *>(png_get_io_ptr(png));
  if (count > reader.rest.size()) {
    png_error(png, "the file ends early");
  }
  std::memcpy(to, reader.rest.data(), count);
  reader.rest = reader.rest.subspan(count);
}

/// Jumps past its own frame on an error: no local here owns anything.
bool read(Reader &r) {
  if (setjmp(png_jmpbuf(r.png)) != 0) {
    return false;
  }
  png_set_read_fn(r.png, &r, readBytes);
  png_read_info(r.png, r.info);
  const uint64_t height = png_get_image_height(r.png, r.info);
  if (height * png_get_image_width(r.png, r.info) > kMostPixels) {
    r.tooLarge = true;
    return false;
  }
  png_set_expand(r.png);
  if constexpr (std::endian::native == std::endian::little) {
    png_set_swap(r.png);
  }
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  const size_t rowBytes = png_get_rowbytes(r.png, r.info);
  r.pixels.resize(height * rowBytes);
  for (uint64_t y = 0; y < height; ++y) {
    r.rows.push_back(r.pixels.data() + y * rowBytes);
  }
  png_read_image(r.png, r.rows.data());
  png_read_end(r.png, nullptr);
  return true;
}

template <typename T> void append(const Reader &r, std::vector<double> &to) {
  for (size_t at = 0; at < r.pixels.size(); at += sizeof(T)) {
    T sample;
    std::memcpy(&sample, &r.pixels[at], sizeof(T));
    to.push_back(sample);
  }
}

/// All that lives while libpng may jump back to write().
struct Writer {
  Writer() = default;
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;
  ~Writer() { png_destroy_write_struct(&png, &info); }

  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string error;
  std::vector<uint8_t> pixels; // 16 bits: high byte first
  std::vector<uint8_t *> rows;
  std::vector<uint8_t> file;
};

void writeBytes(png_structp png, png_bytep from, size_t count) {
  auto &writer = *static_cast<Writer *>(png_get_io_ptr(png));
  writer.file.insert(writer.file.end(), from, from + count);
}

void flushNothing(png_structp) {}

/// Jumps past its own frame on an error: no local here owns anything.
bool write(Writer &w, const Samples &picture) {
  if (setjmp(png_jmpbuf(w.png)) != 0) {
    return false;
  }
  constexpr int kColours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                              PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  png_set_write_fn(w.png, &w, writeBytes, flushNothing);
  png_set_IHDR(w.png, w.info, static_cast<png_uint_32>(picture.extents[1]),
               static_cast<png_uint_32>(picture.extents[0]),
               picture.high > 255 ? 16 : 8, kColours[picture.channels - 1],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(w.png, w.info);
  png_write_image(w.png, w.rows.data());
  png_write_end(w.png, nullptr);
  return true;
}

/// The samples as the rows of a file.
void layOut(Writer &w, const Samples &picture) {
  const bool wide = picture.high > 255;
  w.pixels.reserve(picture.values.size() * (wide ? 2 : 1));
  for (double value : picture.values) {
    const auto sample = static_cast<uint16_t>(value);
    if (wide) {
      w.pixels.push_back(static_cast<uint8_t>(sample >> 8));
    }
    w.pixels.push_back(static_cast<uint8_t>(sample));
  }
  const auto height = static_cast<size_t>(picture.extents[0]);
  const size_t rowBytes = w.pixels.size() / height;
  for (size_t y = 0; y < height; ++y) {
    w.rows.push_back(w.pixels.data() + y * rowBytes);
  }
}

Status corrupt(const std::string &message) {
  return {StatusCode::kCorrupt, ".png: " + message};
}

} // namespace

Result<Samples> parsePng(std::span<const uint8_t> bytes) {
  if (bytes.size() < 8 || png_sig_cmp(bytes.data(), 0, 8) != 0) {
    return corrupt("not a PNG file (its first eight bytes are others)");
  }
  Reader r(bytes);
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r.error, fail, ignore);
  r.info = r.png ? png_create_info_struct(r.png) : nullptr;
  if (!r.info) {
    return Status(StatusCode::kInternal, ".png: libpng does not start");
  }
  if (!read(r)) {
    return r.tooLarge
               ? Status(StatusCode::kUnsupported, ".png: more than 2^26 pixels")
               : corrupt(r.error);
  }
  const bool wide = png_get_bit_depth(r.png, r.info) == 16;
  Samples picture;
  picture.extents = {png_get_image_height(r.png, r.info),
                     png_get_image_width(r.png, r.info)};
  picture.channels = png_get_channels(r.png, r.info);
  picture.high = wide ? 65535 : 255;
  wide ? append<uint16_t>(r, picture.values)
       : append<uint8_t>(r, picture.values);
  return picture;
}

Result<std::vector<uint8_t>> formatPng(const Samples &picture) {
  const auto pixels = static_cast<uint64_t>(picture.extents[0]) *
                      static_cast<uint64_t>(picture.extents[1]);
  if (pixels > kMostPixels) {
    return Status(StatusCode::kUnsupported, ".png: more than 2^26 pixels");
  }
  Writer w;
  w.png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &w.error, fail, ignore);
  w.info = w.png ? png_create_info_struct(w.png) : nullptr;
  if (!w.info) {
    return Status(StatusCode::kInternal, ".png: libpng does not start");
  }
  layOut(w, picture);
  if (!write(w, picture)) {
    return Status(StatusCode::kUnsupported, ".png: " + w.error);
  }
  return std::move(w.file);
}

} // namespace kiln::tools
