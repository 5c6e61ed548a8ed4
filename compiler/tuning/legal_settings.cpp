// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/legal_settings.h"

#include <algorithm>

namespace kiln::tuning {

namespace {

// Combinations of one request: some hundredths of a second.
constexpr int64_t kChunk = 64;

} // namespace

Result<std::vector<Setting>> listLegal(const SearchSpace &space,
                                       PoolOptions options) {
  const int64_t combinations = space.combinations();
  // A request is a chunk's number, an answer a character per combination.
  ProcessPool pool(
      [&](const std::string &request) {
        const int64_t first = std::stoll(request) * kChunk;
        const int64_t end = std::min(first + kChunk, combinations);
        std::string answer;
        for (int64_t i = first; i < end; ++i) {
          const bool legal = !space.isLegal || space.isLegal(space.setting(i));
          answer += legal ? '1' : '0';
        }
        return answer;
      },
      options);
  const int64_t chunks = (combinations + kChunk - 1) / kChunk;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    pool.submit(static_cast<size_t>(chunk), std::to_string(chunk));
  }
  std::vector<std::string> answers(static_cast<size_t>(chunks));
  for (int64_t i = 0; i < chunks; ++i) {
    KILN_ASSIGN_OR_RETURN(ProcessPool::Answer answer, pool.next());
    if (!answer.status) {
      return answer.status.withContext("listing the legal settings");
    }
    answers[answer.id] = std::move(answer.text);
  }
  std::vector<Setting> legal;
  for (int64_t i = 0; i < combinations; ++i) {
    const std::string &answer = answers[static_cast<size_t>(i / kChunk)];
    if (answer.at(static_cast<size_t>(i % kChunk)) == '1') {
      legal.push_back(space.setting(i));
    }
  }
  return legal;
}

} // namespace kiln::tuning
