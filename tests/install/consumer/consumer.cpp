// SPDX-License-Identifier: Apache-2.0
//
// A program outside Kiln's tree: prints the class of an image.
//
//   consumer DEVICE PACKAGE.kiln IMAGE.npy
#include "hal/api/session.h"
#include "hal/drivers/all/all.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

using namespace kiln;

std::vector<uint8_t> readFile(const char *path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<size_t> classify(const char *deviceName,
                        const std::vector<uint8_t> &package,
                        const std::vector<uint8_t> &image) {
  hal::Instance instance;
  KILN_RETURN_IF_ERROR(hal::registerAllDrivers(instance));
  KILN_ASSIGN_OR_RETURN(auto device, instance.createDevice(deviceName));
  KILN_ASSIGN_OR_RETURN(
      auto session, hal::Session::load(*device, hal::Blob::borrow(package)));
  auto input = hal::HostTensor::make(hal::DataType::kF32, {1, 1, 8, 8});
  if (image.size() < input.bytes.size()) {
    return Status(StatusCode::kCorrupt, "the image is too short");
  }
  // The data of a .npy file are its last bytes.
  std::memcpy(input.bytes.data(),
              image.data() + image.size() - input.bytes.size(),
              input.bytes.size());
  KILN_ASSIGN_OR_RETURN(auto outputs, session->run({input}));
  const auto *scores = reinterpret_cast<const float *>(outputs[0].bytes.data());
  return static_cast<size_t>(std::max_element(scores, scores + 10) - scores);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: consumer DEVICE PACKAGE IMAGE\n");
    return 2;
  }
  Result<size_t> digit =
      classify(argv[1], readFile(argv[2]), readFile(argv[3]));
  if (!digit) {
    std::fprintf(stderr, "%s\n", digit.status().message().c_str());
    return 1;
  }
  std::printf("%zu\n", *digit);
  return 0;
}
