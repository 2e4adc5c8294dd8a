// SPDX-License-Identifier: Apache-2.0
// URLs of logical units, and the secrets that people put into them.
#include "connectors/iscsi_url.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AnIscsiUrl, NamesPortalTargetAndLun) {
  EXPECT_EQ(parse_iscsi_url("iscsi://10.0.0.1/iqn.2026-01.org.volgrow:vol1/1"),
            (IscsiUrl{"", "10.0.0.1", 3260, "iqn.2026-01.org.volgrow:vol1", 1}));
  EXPECT_EQ(parse_iscsi_url("iscsi://host7@San.example.org:3261/iqn.a/0"),
            (IscsiUrl{"host7", "san.example.org", 3261, "iqn.a", 0}));
  EXPECT_EQ(parse_iscsi_url("iscsi://[2001:db8::1]:3261/iqn.a/16641"),
            (IscsiUrl{"", "2001:db8::1", 3261, "iqn.a", 16641}));
}

TEST(AnIscsiUrl, KeepsTheZoneOfALinkLocalAddress) {
  EXPECT_EQ(parse_iscsi_url("iscsi://me@[fe80::1%eth0]/iqn.a/1"),
            (IscsiUrl{"me", "fe80::1%eth0", 3260, "iqn.a", 1}));
}

TEST(AnIscsiUrl, TakesALunInTheFormOfByPathNames) {
  EXPECT_EQ(parse_iscsi_url("iscsi://h/iqn.a/0x4101000000000000")->lun, 16641);
}

TEST(AnIscsiUrl, WithAPasswordIsRefusedAndNotRepeated) {
  for (const auto* url :
       {"iscsi://me%geheim@10.0.0.1/iqn.a/1", "iscsi://me:geheim@10.0.0.1/iqn.a/1",
        "iscsi://me%ge/geheim@10.0.0.1/iqn.a/1", "iscsi://me%geheim@at@10.0.0.1/iqn.a/1",
        "iscsi://me@at%geheim@10.0.0.1/iqn.a/1", "iscsi://%geheim@10.0.0.1/iqn.a/1"}) {
    const auto parsed = parse_iscsi_url(url);

    ASSERT_THAT(parsed, FailsWith(ErrorCode::invalid_args, "--secret-file")) << url;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("geheim")));
  }
}

// Whatever is wrong with it, a part that looks like a host may be a password.
TEST(AnIscsiUrl, ThatIsMalformedIsRefusedWithoutCitingIt) {
  for (const auto* url : {"",
                          "geheim",
                          "http://geheim/iqn.a/1",
                          "iscsi://",
                          "iscsi://geheim",
                          "iscsi://geheim/iqn.a",
                          "iscsi:///iqn.geheim/1",
                          "iscsi://me%geheim/iqn.a/1",
                          "iscsi://10.0.0.1:geheim/iqn.a/1",
                          "iscsi://10.0.0.1,geheim/iqn.a/1",
                          "iscsi://10.0.0.1//geheim/",
                          "iscsi://10.0.0.1/iqn.a/geheim",
                          "iscsi://10.0.0.1/iqn.a/65536",
                          "iscsi://10.0.0.1/iqn.a/-1",
                          "iscsi://10.0.0.1/iqn geheim/1",
                          "iscsi://@geheim/iqn.a/1",
                          "iscsi://ge heim@10.0.0.1/iqn.a/1",
                          "iscsi://10.0.0.1//1",
                          "iscsi://2001:db8::geheim/iqn.a/1",
                          "iscsi://[::1/iqn.geheim/1"}) {
    const auto parsed = parse_iscsi_url(url);

    ASSERT_THAT(parsed, FailsWith(ErrorCode::invalid_args, "expected iscsi://")) << url;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("geheim"))) << url;
  }
}

}  // namespace
}  // namespace volgrow
