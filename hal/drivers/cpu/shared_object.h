// SPDX-License-Identifier: Apache-2.0
//
// SharedObject: native code loaded from memory.
//
//   Result<std::unique_ptr<SharedObject>> so = SharedObject::load(bytes, "k");
//   Result<void *> entry = (*so)->symbol("k0");
//
// The bytes go into an anonymous file that is opened through a path no other
// object of this process ever had: the dynamic linker knows loaded objects by
// name, and a reused name silently gives the older code. The code is trusted:
// its constructors run.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace kiln::hal {

class SharedObject {
public:
  /// kCorrupt for bytes that are no complete shared object, kUnsupported for
  /// one of another architecture.
  static Result<std::unique_ptr<SharedObject>>
  load(std::span<const uint8_t> bytes, const std::string &name);
  ~SharedObject();
  SharedObject(const SharedObject &) = delete;
  SharedObject &operator=(const SharedObject &) = delete;

  /// kCorrupt when there is no such symbol.
  Result<void *> symbol(const std::string &name) const;

private:
  SharedObject(int file, void *handle) : file_(file), handle_(handle) {}

  int file_;
  void *handle_;
};

} // namespace kiln::hal
