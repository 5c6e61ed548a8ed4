// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/compile_model.h"

#include "hal/format/package.h"
#include "tools/kiln/version.h"

namespace kiln::tools {
namespace {

CompileOptions stamped(CompileOptions options) {
  options.fingerprint = "kiln " KILN_VERSION " " KILN_COMMIT;
  return options;
}

Result<std::vector<uint8_t>> checked(Result<pipeline::CompileOutput> output) {
  if (!output) {
    return output.status();
  }
  if (Result<hal::Package> p = hal::Package::parse(output->package); !p) {
    return Status(StatusCode::kInternal,
                  "the compiler wrote a package that does not verify: " +
                      p.status().message());
  }
  return std::move(output->package);
}

} // namespace

Result<std::vector<uint8_t>> packageOf(const std::filesystem::path &path,
                                       const CompileOptions &options) {
  return checked(pipeline::compileModel(path, stamped(options)));
}

Result<std::vector<uint8_t>> packageOfBytes(std::span<const uint8_t> bytes,
                                            const std::string &name,
                                            const CompileOptions &options) {
  return checked(pipeline::compileModelBytes(bytes, name, stamped(options)));
}

} // namespace kiln::tools
