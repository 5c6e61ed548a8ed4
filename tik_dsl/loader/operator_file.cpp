// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/loader/operator_file.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <chrono>
#include <dlfcn.h>

namespace kiln::tik {

namespace {

namespace fs = std::filesystem;

/// A file that goes when its owner goes.
class TemporaryFile {
public:
  static Result<TemporaryFile> create(const char *suffix) {
    llvm::SmallString<128> path;
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("kiln-operator", suffix, path)) {
      return Status(StatusCode::kDoesNotFit,
                    "no temporary file: " + error.message());
    }
    TemporaryFile file;
    file.path_ = path.str().str();
    return file;
  }
  TemporaryFile(TemporaryFile &&other) noexcept { path_.swap(other.path_); }
  TemporaryFile &operator=(TemporaryFile &&other) noexcept {
    path_.swap(other.path_);
    return *this;
  }
  ~TemporaryFile() {
    if (!path_.empty()) {
      llvm::sys::fs::remove(path_);
    }
  }
  const std::string &path() const { return path_; }

private:
  TemporaryFile() = default;
  std::string path_;
};

Result<std::string> findCompiler(const std::vector<std::string> &names) {
  std::string tried;
  for (const std::string &name : names) {
    if (auto path = llvm::sys::findProgramByName(name)) {
      return *path;
    }
    tried += (tried.empty() ? "" : ", ") + name;
  }
  return Status(StatusCode::kUnsupported,
                "no C++ compiler on the PATH (tried " + tried +
                    "); a C++20 compiler is needed for operator files");
}

std::string contents(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

Status compile(const fs::path &source, const std::string &out,
               const LoadOptions &options) {
  KILN_ASSIGN_OR_RETURN(const std::string compiler,
                        findCompiler(options.compilers));
  KILN_ASSIGN_OR_RETURN(TemporaryFile messages, TemporaryFile::create("txt"));
  const std::string file = source.string();
  const std::string include = "-I" + options.includeDir.string();
  const std::vector<llvm::StringRef> arguments = {compiler,
                                                  "-std=c++20",
                                                  "-O1",
                                                  "-fPIC",
                                                  "-shared",
                                                  "-Wall",
                                                  "-fvisibility=hidden",
                                                  "-Wl,-z,defs",
                                                  include,
                                                  file,
                                                  "-o",
                                                  out};
  const std::optional<llvm::StringRef> redirects[] = {
      llvm::StringRef(), llvm::StringRef(messages.path()),
      llvm::StringRef(messages.path())};
  std::string error;
  const int code = llvm::sys::ExecuteAndWait(compiler, arguments, std::nullopt,
                                             redirects, 120, 0, &error);
  if (code != 0) {
    return Status(StatusCode::kInvalidArgument, file + " does not compile:\n" +
                                                    error +
                                                    contents(messages.path()));
  }
  return Status::ok();
}

/// `file` is what the author knows it as.
Result<std::shared_ptr<void>> open(const std::string &path,
                                   const std::string &file, CallWatch *watch) {
  void *library = nullptr;
  {
    const CallState state{file.c_str(), "the start of its static objects"};
    const WatchedCall watched(watch, state);
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    const char *error = dlerror();
    return Status(StatusCode::kCorrupt,
                  file + " cannot be loaded: " + (error ? error : "no reason"));
  }
  return std::shared_ptr<void>(library, [](void *p) { dlclose(p); });
}

} // namespace

Result<OperatorFile> OperatorFile::load(const fs::path &path,
                                        const LoadOptions &options) {
  std::error_code missing;
  if (!fs::is_regular_file(path, missing)) {
    return Status(StatusCode::kCorrupt, path.string() + ": no such file");
  }
  OperatorFile file;
  if (path.extension() == ".so") {
    KILN_ASSIGN_OR_RETURN(file.library_, open(fs::absolute(path).string(),
                                              path.string(), options.watch));
  } else {
    KILN_ASSIGN_OR_RETURN(TemporaryFile plugin, TemporaryFile::create("so"));
    const auto start = std::chrono::steady_clock::now();
    KILN_RETURN_IF_ERROR(compile(path, plugin.path(), options));
    const std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    file.compileSeconds_ = elapsed.count();
    KILN_ASSIGN_OR_RETURN(file.library_,
                          open(plugin.path(), path.string(), options.watch));
  }
  void *symbol = dlsym(file.library_.get(), KILN_TIK_ENTRY);
  if (symbol == nullptr) {
    return Status(StatusCode::kCorrupt,
                  path.string() + " has no operator: it must end with "
                                  "KILN_OPERATOR(declare, kernel, reference)");
  }
  KILN_ASSIGN_OR_RETURN(
      file.op_, Operator::declare(reinterpret_cast<KilnTikEntry>(symbol),
                                  path.string(), options.watch));
  return file;
}

} // namespace kiln::tik
