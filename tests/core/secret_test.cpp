// SPDX-License-Identifier: Apache-2.0
// What is left of a secret: nothing.
#include "core/secret.h"

#include <gmock/gmock.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace volgrow {
namespace {

Secret made_of(const std::string& text) {
  Secret secret;
  for (const char c : text)
    EXPECT_TRUE(secret.add(c));
  return secret;
}

TEST(ASecret, IsTheTextItWasMadeOf) {
  const auto secret = made_of("twelve bytes");

  EXPECT_EQ(secret.size(), 12U);
  EXPECT_STREQ(secret.text(), "twelve bytes");
}

TEST(ASecret, CanBeMovedAndNotCopied) {
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  auto first = made_of("hidden");

  Secret second;
  second = std::move(first);

  EXPECT_STREQ(second.text(), "hidden");
  EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move): what a move leaves is the point
  EXPECT_STREQ(first.text(), "");
}

TEST(ASecret, HasNoRoomForMoreThanChapAllows) {
  auto secret = made_of(std::string(Secret::longest, 'x'));

  EXPECT_FALSE(secret.add('y'));
  EXPECT_EQ(std::strlen(secret.text()), Secret::longest);
}

TEST(ASecret, IsOverwrittenWhenItIsGone) {
  alignas(Secret) std::array<char, sizeof(Secret)> storage{};
  auto* secret = new (storage.data()) Secret(made_of("do-not-find-me"));
  const std::string_view memory(storage.data(), storage.size());
  ASSERT_NE(memory.find("do-not-find-me"), std::string_view::npos);

  std::destroy_at(secret);

  EXPECT_EQ(memory.find("do-not"), std::string_view::npos);
}

TEST(AShownSecret, IsRightOnlyAsAWhole) {
  EXPECT_TRUE(is_secret("twelve bytes", "twelve bytes"));
  EXPECT_FALSE(is_secret("twelve byteS", "twelve bytes"));
  EXPECT_FALSE(is_secret("twelve", "twelve bytes"));
  EXPECT_FALSE(is_secret("twelve bytestwelve bytes", "twelve bytes"));
  EXPECT_FALSE(is_secret("", "twelve bytes"));
  EXPECT_FALSE(is_secret("twelve bytes", ""));
}

}  // namespace
}  // namespace volgrow
