// SPDX-License-Identifier: Apache-2.0
// UUIDs: no two the same, and what counts as one.
#include "core/uuid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace volgrow {
namespace {

TEST(ANewUuid, IsARandomOneInItsUsualForm) {
  EXPECT_THAT(
      new_uuid(),
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(ANewUuid, IsNeverTheSameTwice) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(new_uuid());

  EXPECT_EQ(seen.size(), 1000U);
}

TEST(AUuid, HasThirtyTwoHexDigitsWithOrWithoutHyphens) {
  EXPECT_TRUE(is_uuid("5f2f6c1e-0b9e-4c1d-9d3a-0123456789ab"));
  EXPECT_TRUE(is_uuid("5F2F6C1E-0B9E-4C1D-9D3A-0123456789AB"));
  EXPECT_TRUE(is_uuid("5f2f6c1e0b9e4c1d9d3a0123456789ab"));
}

TEST(AUuid, IsNotJustAnyText) {
  for (const auto* text :
       {"", "volume-1", "5f2f6c1e-0b9e-4c1d-9d3a-0123456789a",
        "5f2f6c1e-0b9e-4c1d-9d3a-0123456789abc", "5f2f6c1e-0b9e-4c1d-9d3a-0123456789ag",
        "5f2f6c1e0b9e-4c1d-9d3a-0123456789ab-", "--------------------------------5f2f"})
    EXPECT_FALSE(is_uuid(text)) << text;
}

}  // namespace
}  // namespace volgrow
