// SPDX-License-Identifier: Apache-2.0
//
// Seeds of tests that generate what they check. Without arguments a test uses
// the same seeds on every run. The long set runs the same program with more of
// them from a new place:
//
//   engines_random_programs_test --times=20 --first-seed=random
//
// prints the place, so that the run can be repeated:
//
//   for (uint64_t seed : seeds(1, 400)) { ... }   // 1..400, or 8000 others
#pragma once

#include <cstdint>
#include <ranges>

namespace kiln::test {

/// `count` seeds from `first` on; in a long run `times` as many, elsewhere.
std::ranges::iota_view<uint64_t, uint64_t> seeds(uint64_t first,
                                                 uint64_t count);

} // namespace kiln::test
