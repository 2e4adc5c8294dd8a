// SPDX-License-Identifier: Apache-2.0
// Waits that double, end somewhere, and are not the same for everybody.
#include "core/backoff.h"

#include <gtest/gtest.h>

namespace volgrow {
namespace {

using namespace std::chrono_literals;

TEST(ABackoff, DoublesUpToTheSlowest) {
  EXPECT_EQ(backoff(1, 2s, 60s, 0), 1s);
  EXPECT_EQ(backoff(2, 2s, 60s, 0), 2s);
  EXPECT_EQ(backoff(3, 2s, 60s, 0), 4s);
  EXPECT_EQ(backoff(6, 2s, 60s, 0), 30s);
  EXPECT_EQ(backoff(4'000'000'000, 2s, 60s, 0), 30s);
}

TEST(ABackoff, IsBetweenHalfAndAllOfIt) {
  EXPECT_EQ(backoff(1, 2s, 60s, 0.5), 1500ms);
  EXPECT_LT(backoff(1, 2s, 60s, 0.999), 2s);
}

}  // namespace
}  // namespace volgrow
