// SPDX-License-Identifier: Apache-2.0
// Portals in every spelling that Cinder's drivers, open-iscsi and the kernel use.
#include "connectors/iscsi_portal.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

TEST(APortal, OfIpv4IsAddressAndPort) {
  EXPECT_EQ(parse_iscsi_portal("10.0.0.1:3261"), (IscsiPortal{"10.0.0.1", 3261}));
}

TEST(APortal, WithoutAPortHasTheUsualOne) {
  for (const auto* text : {"10.0.0.1", " 10.0.0.1\n", "10.0.0.1,1"})
    EXPECT_EQ(parse_iscsi_portal(text), (IscsiPortal{"10.0.0.1", 3260}));
  EXPECT_EQ(parse_iscsi_portal("[fe80::1]"), (IscsiPortal{"fe80::1", 3260}));
  EXPECT_EQ(parse_iscsi_portal("fe80::cafe:babe"), (IscsiPortal{"fe80::cafe:babe", 3260}));
}

TEST(APortal, IsNotItsPortalGroup) {
  EXPECT_EQ(parse_iscsi_portal("10.0.0.1:3260,1"), (IscsiPortal{"10.0.0.1", 3260}));
}

TEST(APortal, OfIpv6IsOneInEverySpelling) {
  const IscsiPortal portal{"2001:db8::a:1", 3260};

  for (const auto* text :
       {"[2001:db8::a:1]:3260", "[2001:DB8::A:1]:3260", "[2001:0db8:0:0:0:0:a:1]:3260",
        "[2001:0db8:0000:0000:0000:0000:000a:0001]", "2001:db8::a:1:3260", "[2001:db8::a:1]:3260,1",
        "[2001:db8::a:1%eth0]:3260"})
    EXPECT_EQ(parse_iscsi_portal(text), portal) << text;
  // What the kernel writes of a connection's peer (%pI6: no compression).
  EXPECT_EQ(iscsi_portal_of("2001:0db8:0000:0000:0000:0000:000a:0001", "3260"), portal);
  EXPECT_EQ(iscsi_portal_of("[2001:db8::a:1]", "3260"), portal);
}

TEST(APortal, OfIpv4IsTheSameInTheFormOfIpv6) {
  EXPECT_EQ(parse_iscsi_portal("[::ffff:10.0.0.1]:3260"), parse_iscsi_portal("10.0.0.1:3260"));
  EXPECT_EQ(parse_iscsi_portal("[::ffff:0a00:0001]:3260"), parse_iscsi_portal("10.0.0.1:3260"));
}

TEST(APortal, MayBeAHostName) {
  EXPECT_EQ(parse_iscsi_portal("San-1.Example.org:3260"), (IscsiPortal{"san-1.example.org", 3260}));
}

TEST(APortal, DiffersByAddressAndByPort) {
  EXPECT_NE(parse_iscsi_portal("10.0.0.1:3260"), parse_iscsi_portal("10.0.0.2:3260"));
  EXPECT_NE(parse_iscsi_portal("10.0.0.1:3260"), parse_iscsi_portal("10.0.0.1:3261"));
}

TEST(APortal, ThatIsMalformedIsRefusedAndCited) {
  for (const auto* text :
       {"", ":3260", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:iscsi", "10.0.0.300:1",
        "10.0.0:3260", "[10.0.0.1]:3260", "[2001:db8::1", "[2001:db8::1]3260", "[2001:db8::g]:3260",
        "2001:db8:::1:3260", "iqn.2026-01.org:volume", "-host:3260", "a b:3260", "10.0.0.1:3260,x"})
    EXPECT_THAT(parse_iscsi_portal(text), FailsWith(ErrorCode::invalid_args, "is no portal"))
        << text;
  EXPECT_THAT(iscsi_portal_of("", "3260"), FailsWith(ErrorCode::invalid_args, ""));
  EXPECT_THAT(iscsi_portal_of("10.0.0.1", "-1"), FailsWith(ErrorCode::invalid_args, ""));
}

TEST(APortal, IsWrittenWithBracketsWhereItNeedsThem) {
  EXPECT_EQ(to_string(IscsiPortal{"10.0.0.1", 3260}), "10.0.0.1:3260");
  EXPECT_EQ(to_string(IscsiPortal{"2001:db8::1", 3261}), "[2001:db8::1]:3261");
}

}  // namespace
}  // namespace volgrow
