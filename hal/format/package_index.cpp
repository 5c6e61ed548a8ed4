// SPDX-License-Identifier: Apache-2.0
#include "hal/format/package_index.h"

#include "hal/format/package.h"
#include "isa/support/units.h"

#include <algorithm>

namespace kiln::hal {
namespace {

constexpr size_t kPrefixBytes = 4; // the size before the index

Status corrupt(std::string message) {
  return {StatusCode::kCorrupt, std::move(message)};
}

/// The index: where the sections are.
class IndexReader {
public:
  explicit IndexReader(std::span<const uint8_t> file) : file_(file) {}

  Result<std::vector<SectionRef>> read() {
    KILN_RETURN_IF_ERROR(checkPrefix());
    flatbuffers::Verifier verifier(index_.data(), index_.size(), 64,
                                   kMaxTables);
    if (!verifier.VerifySizePrefixedBuffer<fb::Index>("KILN")) {
      return corrupt("section 'index': not a valid table");
    }
    const auto *index =
        flatbuffers::GetSizePrefixedRoot<fb::Index>(index_.data());
    if (index->format_version() > kPackageFormatVersion) {
      return Status(
          StatusCode::kUnsupported,
          "package format " + std::to_string(index->format_version()) +
              " is newer than " + std::to_string(kPackageFormatVersion) +
              "; run it with the release that compiled it, or "
              "compile the model again");
    }
    if (index->format_version() == 0 || index->file_size() != file_.size()) {
      return corrupt(
          "section 'index': the file has " + std::to_string(file_.size()) +
          " bytes, the index says " + std::to_string(index->file_size()) +
          (index->file_size() > file_.size() ? " (truncated?)" : ""));
    }
    return readSections(*index);
  }

private:
  Status checkPrefix() {
    constexpr size_t kIdentifierEnd = kPrefixBytes + 8;
    if (file_.size() < kIdentifierEnd ||
        !flatbuffers::BufferHasIdentifier(file_.data(), "KILN", true)) {
      return corrupt("not a .kiln package: the identifier is missing");
    }
    uint64_t size = flatbuffers::ReadScalar<uint32_t>(file_.data());
    if (size > file_.size() - kPrefixBytes) {
      return corrupt("section 'index': needs " + std::to_string(size) +
                     " bytes, the file has " +
                     std::to_string(file_.size() - kPrefixBytes) +
                     " (truncated?)");
    }
    index_.assign(file_.begin(), file_.begin() + kPrefixBytes + size);
    return Status::ok();
  }

  Result<std::vector<SectionRef>> readSections(const fb::Index &index) {
    std::vector<SectionRef> sections;
    uint64_t end = index_.size();
    if (!index.sections()) {
      return corrupt("section 'index': no sections");
    }
    for (const fb::Section *entry : *index.sections()) {
      const fb::Section &section = *entry;
      std::string where = "section " + std::to_string(sections.size());
      if (!section.sha256()) {
        return corrupt(where + ": has no hash");
      }
      uint64_t offset = section.offset();
      if (offset != alignUp(end, kPackageAlignment) || offset > file_.size() ||
          section.size() > file_.size() - offset) {
        return corrupt(where + ": " + std::to_string(section.size()) +
                       " bytes at " + std::to_string(offset) +
                       " do not follow the section before inside the file");
      }
      if (!std::all_of(file_.begin() + end, file_.begin() + offset,
                       [](uint8_t byte) { return byte == 0; })) {
        return corrupt(where + ": the gap before it is not zero");
      }
      Sha256 hash;
      std::copy_n(section.sha256()->bytes()->begin(), hash.size(),
                  hash.begin());
      sections.push_back({section.kind(), offset, section.size(), hash});
      end = offset + section.size();
    }
    if (end != file_.size()) {
      return corrupt("section 'index': " + std::to_string(file_.size() - end) +
                     " bytes after the last section");
    }
    return sections;
  }

  std::span<const uint8_t> file_;
  std::vector<uint8_t> index_; // with its size prefix, in aligned memory
};

} // namespace

Result<std::vector<SectionRef>> readIndex(std::span<const uint8_t> file) {
  return IndexReader(file).read();
}

} // namespace kiln::hal
