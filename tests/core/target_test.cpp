// SPDX-License-Identifier: Apache-2.0
// TARGETs as typed, and everything that must not become one.
#include "core/target.h"

#include <gmock/gmock.h>

namespace volgrow {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::TestWithParam;
using ::testing::Values;

struct Typed {
  std::string text;
  Target target;
};

class ATypedTarget : public TestWithParam<Typed> {};

TEST_P(ATypedTarget, IsUnderstood) {
  EXPECT_EQ(parse_target(GetParam().text), GetParam().target);
}

TEST_P(ATypedTarget, IsWrittenAsItWasTyped) {
  EXPECT_EQ(to_text(GetParam().target), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ATypedTarget,
    Values(Typed{"/dev/sda", {TargetKind::path, "/dev/sda"}},
           Typed{"/srv/images/..a/b..", {TargetKind::path, "/srv/images/..a/b.."}},
           Typed{"/dev/disk/by-path/ip-[fe80::1]:3260-lun-1",
                 {TargetKind::path, "/dev/disk/by-path/ip-[fe80::1]:3260-lun-1"}},
           Typed{"/srv/größe.img", {TargetKind::path, "/srv/größe.img"}},
           Typed{"id:vol-1", {TargetKind::volume_id, "vol-1"}},
           Typed{"dm:mpatha", {TargetKind::dm_name, "mpatha"}},
           Typed{"dm:id:x", {TargetKind::dm_name, "id:x"}},
           Typed{"wwid:naa.6001405abcdef012", {TargetKind::wwid, "naa.6001405abcdef012"}},
           Typed{"wwid:35000c500a1b2c3d4", {TargetKind::wwid, "35000c500a1b2c3d4"}},
           Typed{"dev:cciss!c0d0", {TargetKind::device, "cciss!c0d0"}},
           Typed{"sda", {TargetKind::any, "sda"}}, Typed{"ID:x", {TargetKind::any, "ID:x"}},
           Typed{"5ea5b1f8-6a05-4b5c-8c6f-0123456789ab",
                 {TargetKind::any, "5ea5b1f8-6a05-4b5c-8c6f-0123456789ab"}},
           Typed{"t10.ATA     A/B", {TargetKind::any, "t10.ATA     A/B"}}));

struct Refused {
  std::string text;
  std::string why;
};

class ARefusedTarget : public TestWithParam<Refused> {};

TEST_P(ARefusedTarget, IsToldWhy) {
  const auto target = parse_target(GetParam().text);

  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(target.error().message, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(Empty, ARefusedTarget,
                         Values(Refused{"", "names nothing"}, Refused{"id:", "names nothing"},
                                Refused{"dm:", "names nothing"}, Refused{"wwid:", "names nothing"},
                                Refused{"dev:", "names nothing"}));

INSTANTIATE_TEST_SUITE_P(Climbing, ARefusedTarget,
                         Values(Refused{"../../etc/shadow", "\"..\""},
                                Refused{"/dev/../etc/shadow", "\"..\""},
                                Refused{"/dev/..", "\"..\""}, Refused{"/..", "\"..\""},
                                Refused{"..", "\"..\""}, Refused{"dev:..", "\"..\""},
                                Refused{"dev:../../../etc/shadow", "\"..\""},
                                Refused{"dm:../control", "\"..\""}));

INSTANTIATE_TEST_SUITE_P(Unprintable, ARefusedTarget,
                         Values(Refused{"/dev/sda\0/../x"s, "control character"},
                                Refused{"/dev/sda\n", "control character"},
                                Refused{"\x1b[2J", "control character"},
                                Refused{"/srv/\xff.img", "invalid UTF-8"}));

INSTANTIATE_TEST_SUITE_P(OfTheWrongForm, ARefusedTarget,
                         Values(Refused{"id:a b", "no volume id"}, Refused{"id:-a", "no volume id"},
                                Refused{"id:/dev/sda", "no volume id"},
                                Refused{"wwid:sda", "no WWID"}, Refused{"dev:a/b", "\"/\""},
                                Refused{"dev:/dev/sda", "\"/\""}, Refused{"dm:a/b", "\"/\""},
                                Refused{"dev/sda", "a path begins with one"},
                                Refused{"./disk.img", "a path begins with one"}));

TEST(ATarget, MayHave4096Bytes) {
  EXPECT_TRUE(parse_target("/" + std::string(4095, 'x')));
  EXPECT_THAT(parse_target("/" + std::string(4096, 'x')).error().message,
              HasSubstr("longer than 4096"));
}

TEST(ATarget, OfTenMegabytesIsRefusedWithAShortMessage) {
  const auto target = parse_target(std::string(10'000'000, '/'));

  ASSERT_FALSE(target);
  EXPECT_LT(target.error().message.size(), 200U);
}

TEST(AVolumeId, IsLettersDigitsDotsDashesAndUnderscores) {
  EXPECT_TRUE(is_volume_id("a"));
  EXPECT_TRUE(is_volume_id("9"));
  EXPECT_TRUE(is_volume_id("Vol_1.a-b"));
  EXPECT_TRUE(is_volume_id(std::string(128, 'a')));
}

TEST(AVolumeId, IsNothingElse) {
  for (const auto& text :
       {""s, "-a"s, ".a"s, "_a"s, "a b"s, "a/b"s, "a\n"s, "a\0"s, "é"s, std::string(129, 'a')})
    EXPECT_FALSE(is_volume_id(text)) << text;
}

}  // namespace
}  // namespace volgrow
