// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/cpu/shared_object.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace kiln::hal {
namespace {

#if defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kMachine = EM_RISCV;
#else
constexpr unsigned kMachine = EM_X86_64;
#endif

Status corrupt(std::string message) {
  return {StatusCode::kCorrupt, std::move(message)};
}

/// The dynamic linker maps what the program headers say and trusts that the
/// file is long enough; a shorter one would end in SIGBUS.
Status checkComplete(std::span<const uint8_t> bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof(header)) {
    return corrupt(std::to_string(bytes.size()) +
                   " bytes are no shared object");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN ||
      header.e_phentsize != sizeof(Elf64_Phdr)) {
    return corrupt("not a 64-bit ELF shared object");
  }
  if (header.e_machine != kMachine) {
    return {StatusCode::kUnsupported,
            "code for ELF machine " + std::to_string(header.e_machine) +
                ", this is machine " + std::to_string(kMachine)};
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    uint64_t at = header.e_phoff + uint64_t{i} * sizeof(Elf64_Phdr);
    if (at < header.e_phoff || at > bytes.size() ||
        bytes.size() - at < sizeof(Elf64_Phdr)) {
      return corrupt("program header " + std::to_string(i) +
                     " lies outside the file");
    }
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + at, sizeof(segment));
    if (segment.p_offset > bytes.size() ||
        segment.p_filesz > bytes.size() - segment.p_offset) {
      return corrupt("segment " + std::to_string(i) +
                     " lies outside the file (truncated?)");
    }
  }
  return Status::ok();
}

/// A path to descriptor `file` that was never used before in this process:
/// redundant "/" and "./" spell a serial number.
std::string uniquePath(int file) {
  static std::atomic<uint64_t> serial = 0;
  std::string path = "/proc/self/fd/";
  for (uint64_t n = ++serial; n != 0; n >>= 1) {
    path += (n & 1) ? "./" : "/";
  }
  return path + std::to_string(file);
}

Status writeAll(int file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return {StatusCode::kDoesNotFit,
              std::string("no memory for native code: ") +
                  std::strerror(errno)};
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return Status::ok();
}

} // namespace

Result<std::unique_ptr<SharedObject>>
SharedObject::load(std::span<const uint8_t> bytes, const std::string &name) {
  KILN_RETURN_IF_ERROR(checkComplete(bytes));
  int file = memfd_create("kiln", MFD_CLOEXEC);
  if (file < 0) {
    return Status(StatusCode::kUnsupported,
                  std::string("memfd_create: ") + std::strerror(errno));
  }
  if (Status status = writeAll(file, bytes); !status) {
    close(file);
    return status;
  }
  void *handle = dlopen(uniquePath(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = dlerror();
    close(file);
    return corrupt("loading '" + name + "': " + (reason ? reason : "unknown"));
  }
  return std::unique_ptr<SharedObject>(new SharedObject(file, handle));
}

SharedObject::~SharedObject() {
  dlclose(handle_);
  close(file_);
}

Result<void *> SharedObject::symbol(const std::string &name) const {
  void *address = dlsym(handle_, name.c_str());
  if (!address) {
    return corrupt("no symbol '" + name + "'");
  }
  return address;
}

} // namespace kiln::hal
