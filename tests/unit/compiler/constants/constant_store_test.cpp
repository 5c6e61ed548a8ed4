// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/byte_ops.h"
#include "compiler/constants/constant_store.h"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(ConstantStore, StoresEqualContentOnce) {
  ConstantStore store;
  std::string a = store.add(splatConstant(ElementType::kF32, {2, 3}, 1));
  EXPECT_EQ(store.add(splatConstant(ElementType::kF32, {2, 3}, 1)), a);
  EXPECT_EQ(store.size(), 1u);
  // Another shape, type or byte is another constant.
  EXPECT_NE(store.add(splatConstant(ElementType::kF32, {3, 2}, 1)), a);
  EXPECT_NE(store.add(splatConstant(ElementType::kI32, {2, 3}, 1)), a);
  EXPECT_NE(store.add(splatConstant(ElementType::kF32, {2, 3}, 2)), a);
  EXPECT_EQ(store.size(), 4u);
}

TEST(ConstantStore, FindsByIdOnly) {
  ConstantStore store;
  std::string id = store.add(splatConstant(ElementType::kF32, {2}, 1));
  ASSERT_NE(store.find(id), nullptr);
  EXPECT_EQ(store.find(id)->shape, std::vector<int64_t>({2}));
  for (const char *wrong : {"", "c", "c1", "c0x", "d0", "c-1"}) {
    EXPECT_EQ(store.find(wrong), nullptr) << wrong;
  }
}

} // namespace
} // namespace kiln
