// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/cpu/run_dispatch.h"

#include "compiler/pipeline/cpu_pipeline.h"
#include "compiler/pipeline/register.h"
#include "isa/abi/launch.h"

#include "mlir/Parser/Parser.h"

#include <chrono>
#include <cstring>
#include <dlfcn.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

namespace kiln::test {

Tensor Tensor::zeros(std::vector<int64_t> shape) {
  int64_t n = 1;
  for (int64_t d : shape) {
    n *= d;
  }
  return {std::move(shape), std::vector<float>(n)};
}

Tensor Tensor::random(std::vector<int64_t> shape, uint32_t seed) {
  Tensor t = zeros(std::move(shape));
  std::mt19937 rng(seed);
  for (float &v : t.f32) {
    v = static_cast<float>(rng() >> 8) / (1 << 23) - 1.0f;
  }
  return t;
}

namespace {

/// Keeps a shared object open; the file stays alive with it because dlopen
/// matches loaded objects by name.
struct Library {
  explicit Library(const std::vector<uint8_t> &bytes) {
    fd = memfd_create("kernel", MFD_CLOEXEC);
    ssize_t n = write(fd, bytes.data(), bytes.size());
    std::string path = "/proc/self/fd/" + std::to_string(fd);
    handle = n == static_cast<ssize_t>(bytes.size())
                 ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)
                 : nullptr;
  }
  ~Library() {
    if (handle) {
      dlclose(handle);
    }
    close(fd);
  }
  int fd;
  void *handle;
};

using AlignedBuffer = std::unique_ptr<uint8_t, decltype(&free)>;

AlignedBuffer aligned(size_t bytes) {
  size_t size = (bytes + 127) / 64 * 64;
  auto *p = static_cast<uint8_t *>(std::aligned_alloc(64, size));
  std::memset(p, 0xff, size); // NaN: what is not written shows
  return {p, &free};
}

} // namespace

std::string runCpu(const std::string &text, std::vector<Tensor *> tensors,
                   int repeats, double *seconds, const std::string &cpu) {
  mlir::DialectRegistry registry;
  registerKilnDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module) {
    return "the test's text does not parse";
  }
  pipeline::CpuOptions options;
  options.cpu = cpu;
  Result<pipeline::CpuProgram> program =
      pipeline::compileForCpu(*module, options);
  if (!program) {
    return program.status().message();
  }
  Library library(program->sharedObject);
  if (!library.handle) {
    return dlerror();
  }
  const pipeline::CpuEntry &entry = program->entries.at(0);
  if (entry.bindingCount != tensors.size()) {
    return "wrong number of bindings";
  }
  std::vector<AlignedBuffer> buffers;
  AlignedBuffer workspace = aligned(entry.workspaceBytes);
  std::vector<uint64_t> arguments = {
      isa::kArgumentBlockVersion | uint64_t{entry.bindingCount} << 32, 0,
      reinterpret_cast<uint64_t>(workspace.get())};
  for (Tensor *t : tensors) {
    buffers.push_back(aligned(t->f32.size() * 4));
    std::memcpy(buffers.back().get(), t->f32.data(), t->f32.size() * 4);
    arguments.push_back(reinterpret_cast<uint64_t>(buffers.back().get()));
  }
  auto *kernel = reinterpret_cast<void (*)(const void *, uint32_t)>(
      dlsym(library.handle, entry.symbol.c_str()));
  double best = 1e9;
  for (int i = 0; i < repeats; ++i) {
    auto start = std::chrono::steady_clock::now();
    kernel(arguments.data(), 0);
    std::chrono::duration<double> t = std::chrono::steady_clock::now() - start;
    best = std::min(best, t.count());
  }
  if (seconds) {
    *seconds = best;
  }
  Tensor *out = tensors.back();
  std::memcpy(out->f32.data(), buffers.back().get(), out->f32.size() * 4);
  return "";
}

} // namespace kiln::test
