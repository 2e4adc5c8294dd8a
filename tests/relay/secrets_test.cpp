// SPDX-License-Identifier: Apache-2.0
// Files with secrets: who else may read them, what is made of them, and that no error repeats them.
#include "relay/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/fakes/real_loop.h"

namespace volgrow::relay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AFileOfTokens : public ::testing::Test {
 protected:
  std::string holding(const std::string& text, mode_t mode = 0600) {
    const auto path = folder / "token";
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string complaint_about(const std::string& path) {
    const auto tokens = read_tokens(path);
    return tokens ? "accepted" : tokens.error().message;
  }

  TemporaryDirectory folder;
};

TEST_F(AFileOfTokens, HoldsOneALine) {
  const auto path = holding("first\n\n  second \r\nthird");

  EXPECT_THAT(read_tokens(path).value(), ElementsAre("first", "second", "third"));
}

TEST_F(AFileOfTokens, MayBeReadByItsGroup) {
  EXPECT_EQ(complaint_about(holding("token", 0440)), "accepted");
}

class AFileOfTokensWithAWideMode : public AFileOfTokens,
                                   public ::testing::WithParamInterface<mode_t> {};

TEST_P(AFileOfTokensWithAWideMode, IsRefused) {
  const auto complaint = complaint_about(holding("hunter2", GetParam()));

  EXPECT_THAT(complaint, AllOf(HasSubstr("chmod 0600"), Not(HasSubstr("hunter2"))));
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, AFileOfTokensWithAWideMode,
                         ::testing::Values(0644, 0604, 0602, 0620, 0601));

TEST_F(AFileOfTokens, MustHoldOne) {
  EXPECT_THAT(complaint_about(holding("\n \n")), HasSubstr("one line of text at least"));
}

TEST_F(AFileOfTokens, HoldsTextOnly) {
  const auto complaint = complaint_about(holding("hunter2\x01\n"));

  EXPECT_THAT(complaint, AllOf(HasSubstr("control characters"), Not(HasSubstr("hunter2"))));
}

TEST_F(AFileOfTokens, IsAFile) {
  EXPECT_THAT(complaint_about(folder.path()), HasSubstr("no regular file"));
  EXPECT_THAT(complaint_about(folder / "missing"), HasSubstr("No such file"));
}

TEST_F(AFileOfTokens, LetsInWhoShowsAnyOfThem) {
  const auto secrets = read_secrets({.token_file = holding("old\nnew\n")}).value();

  EXPECT_TRUE(may_enter(secrets, {{"x-auth-token", "old"}}));
  EXPECT_TRUE(may_enter(secrets, {{"X-Auth-Token", "new"}}));
  EXPECT_FALSE(may_enter(secrets, {{"X-Auth-Token", "ne"}}));
  EXPECT_FALSE(may_enter(secrets, {{"X-Auth-Token", ""}}));
  EXPECT_FALSE(may_enter(secrets, {}));
}

TEST(ARelayWithoutATokenFile, LetsEverybodyIn) {
  EXPECT_TRUE(may_enter(read_secrets({}).value(), {}));
}

TEST_F(AFileOfTokens, ShowsControlWhoAsks) {
  const auto path = holding("s3cret\nanother\n");

  EXPECT_EQ(read_secrets({.project = "p1"})->control, (http::Fields{{"X-Auth-Token", "admin:p1"}}));
  EXPECT_EQ(read_secrets({.user = "relay"})->control, (http::Fields{{"X-Auth-Token", "relay"}}));
  EXPECT_EQ(read_secrets({.auth = ControlAuth::token, .control_token_file = path})->control,
            (http::Fields{{"X-Auth-Token", "s3cret"}}));
  EXPECT_EQ(read_secrets({.auth = ControlAuth::http_basic, .user = "relay", .password_file = path})
                ->control,
            (http::Fields{{"Authorization", "Basic cmVsYXk6czNjcmV0"}}));
}

TEST_F(AFileOfTokens, ShowsControlWhichHostReports) {
  EXPECT_EQ(read_secrets({.report_token_file = holding("host-token\n")})->reports,
            (http::Fields{{"X-Auth-Token", "host-token"}}));
  EXPECT_EQ(read_secrets({.project = "p1"})->reports, (http::Fields{{"X-Auth-Token", "admin:p1"}}));
}

TEST(TextInBase64, IsAsInItsRfc) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace volgrow::relay
