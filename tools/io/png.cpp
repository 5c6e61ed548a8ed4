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

void fail(png_structp png, png_const_charp message) {
  static_cast<Reader *>(png_get_error_ptr(png))->error = message;
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

Status corrupt(const std::string &message) {
  return {StatusCode::kCorrupt, ".png: " + message};
}

} // namespace

Result<Samples> parsePng(std::span<const uint8_t> bytes) {
  if (bytes.size() < 8 || png_sig_cmp(bytes.data(), 0, 8) != 0) {
    return corrupt("not a PNG file (its first eight bytes are others)");
  }
  Reader r(bytes);
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, fail, ignore);
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

} // namespace kiln::tools
