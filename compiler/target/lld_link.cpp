// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/lld_link.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

namespace kiln::target {
namespace {

/// Closes a file descriptor at the end of its scope.
struct ScopedFd {
  explicit ScopedFd(int fd) : fd(fd) {}
  ScopedFd(ScopedFd &&o) : fd(std::exchange(o.fd, -1)) {}
  ~ScopedFd() { close(); }
  void close() {
    if (fd >= 0) {
      ::close(std::exchange(fd, -1));
    }
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd); }
  int fd;
};

Result<ScopedFd> memoryFile(const ObjectBytes &bytes) {
  ScopedFd file(memfd_create("kiln-object", MFD_CLOEXEC));
  size_t done = 0;
  while (file.fd >= 0 && done < bytes.size()) {
    ssize_t n = write(file.fd, bytes.data() + done, bytes.size() - done);
    if (n <= 0) {
      break;
    }
    done += n;
  }
  if (file.fd < 0 || done < bytes.size()) {
    return Status(StatusCode::kInternal, "cannot hold an object of " +
                                             std::to_string(bytes.size()) +
                                             " bytes in a memory file");
  }
  return file;
}

ObjectBytes drain(int fd) {
  ObjectBytes bytes;
  uint8_t buffer[1 << 16];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) {
    bytes.insert(bytes.end(), buffer, buffer + n);
  }
  return bytes;
}

} // namespace

Result<ObjectBytes> runLinker(std::vector<std::string> arguments,
                              std::span<const ObjectBytes> objects,
                              std::string_view script) {
  std::vector<ScopedFd> inputs;
  if (!script.empty()) {
    KILN_ASSIGN_OR_RETURN(
        ScopedFd file, memoryFile(ObjectBytes(script.begin(), script.end())));
    arguments.insert(arguments.end(), {"-T", file.path()});
    inputs.push_back(std::move(file));
  }
  for (const ObjectBytes &object : objects) {
    KILN_ASSIGN_OR_RETURN(ScopedFd file, memoryFile(object));
    arguments.push_back(file.path());
    inputs.push_back(std::move(file));
  }
  // lld wants a temporary file beside a regular output, which a memory file
  // cannot have; a pipe it writes straight.
  int ends[2];
  if (pipe(ends) != 0) {
    return Status(StatusCode::kInternal, "cannot create a pipe for the linker");
  }
  ScopedFd readEnd(ends[0]), writeEnd(ends[1]);
  arguments.insert(arguments.begin(), "ld.lld");
  arguments.push_back("-o");
  arguments.push_back(writeEnd.path());
  std::vector<const char *> argv;
  for (const std::string &a : arguments) {
    argv.push_back(a.c_str());
  }
  ObjectBytes linked;
  std::thread reader([&] { linked = drain(readEnd.fd); });
  std::string text;
  llvm::raw_string_ostream messages(text);
  lld::Result result;
  {
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    result =
        lld::lldMain(argv, messages, messages, {{lld::Gnu, &lld::elf::link}});
  }
  writeEnd.close();
  reader.join();
  if (result.retCode != 0 || linked.empty()) {
    return Status(StatusCode::kInternal, "linker failed: " + text);
  }
  return linked;
}

Result<std::vector<std::string>>
undefinedSymbols(std::span<const uint8_t> elf) {
  llvm::MemoryBufferRef buffer(
      llvm::StringRef(reinterpret_cast<const char *>(elf.data()), elf.size()),
      "linked");
  auto file = llvm::object::ObjectFile::createELFObjectFile(buffer);
  if (!file) {
    return Status(StatusCode::kCorrupt, llvm::toString(file.takeError()));
  }
  std::vector<std::string> names;
  auto *object = llvm::cast<llvm::object::ELFObjectFileBase>(file->get());
  for (const llvm::object::ELFSymbolRef symbol :
       object->getDynamicSymbolIterators()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name) {
      llvm::consumeError(flags.takeError());
      llvm::consumeError(name.takeError());
      continue;
    }
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !name->empty()) {
      names.push_back(name->str());
    }
  }
  return names;
}

Result<ObjectBytes> linkSharedObject(const std::vector<ObjectBytes> &objects) {
  KILN_ASSIGN_OR_RETURN(
      ObjectBytes so,
      runLinker({"-shared", "-z", "now", "-z", "relro", "-z", "noexecstack",
                 "-z", "separate-code", "--hash-style=gnu", "-Bsymbolic",
                 "--gc-sections", "--build-id=none", "--strip-debug"},
                objects));
  KILN_ASSIGN_OR_RETURN(std::vector<std::string> undefined,
                        undefinedSymbols(so));
  for (const std::string &name : undefined) {
    if (name != "memcpy" && name != "memset" && name != "memmove") {
      return Status(StatusCode::kInternal,
                    "generated CPU code calls '" + name +
                        "'; only memcpy, memset and memmove are provided");
    }
  }
  return so;
}

} // namespace kiln::target
