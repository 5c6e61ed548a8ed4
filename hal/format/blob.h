// SPDX-License-Identifier: Apache-2.0
//
// Blob: the bytes of a program or a constant, owned or borrowed.
//
//   Blob a = std::vector<uint8_t>{1, 2, 3};   // owns
//   Blob b = Blob::borrow(mappedFile);        // the caller keeps it alive
//
// Copies share owned bytes, so a weight of 100 MB is never copied.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace kiln::hal {

class Blob {
public:
  Blob() = default;
  Blob(std::vector<uint8_t> bytes)
      : owned_(std::make_shared<const std::vector<uint8_t>>(std::move(bytes))),
        view_(*owned_) {}
  static Blob borrow(std::span<const uint8_t> bytes) {
    Blob blob;
    blob.view_ = bytes;
    return blob;
  }

  std::span<const uint8_t> view() const { return view_; }
  size_t size() const { return view_.size(); }

private:
  std::shared_ptr<const std::vector<uint8_t>> owned_;
  std::span<const uint8_t> view_;
};

} // namespace kiln::hal
