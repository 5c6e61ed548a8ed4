// SPDX-License-Identifier: Apache-2.0
//
// Runs a test once per instruction set that the kernels are compiled for and
// this machine has.
#pragma once

#include "hwy/highway.h"
#include "hwy/targets.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kiln::isa::testing {

class OnEveryTarget : public ::testing::TestWithParam<int64_t> {
protected:
  void SetUp() override {
    hwy::SetSupportedTargetsForTest(GetParam());
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  void TearDown() override {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

inline auto allTargets() {
  std::vector<int64_t> targets;
  for (int64_t t :
       {int64_t(HWY_AVX3), int64_t(HWY_AVX2), int64_t(HWY_EMU128)}) {
    if ((hwy::SupportedTargets() & t) != 0 || t == HWY_EMU128) {
      targets.push_back(t);
    }
  }
  return ::testing::ValuesIn(targets);
}

inline std::string targetName(const ::testing::TestParamInfo<int64_t> &info) {
  return hwy::TargetName(info.param);
}

} // namespace kiln::isa::testing
