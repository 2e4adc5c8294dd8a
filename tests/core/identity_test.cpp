// SPDX-License-Identifier: Apache-2.0
// WWIDs in all the spellings that meet on one host.
#include "core/identity.h"

#include <gmock/gmock.h>

namespace volgrow {
namespace {

using ::testing::HasSubstr;
using ::testing::TestWithParam;
using ::testing::Values;

struct Spelling {
  std::string text;
  Wwid wwid;
};

class ASpellingOfAWwid : public TestWithParam<Spelling> {};

TEST_P(ASpellingOfAWwid, IsUnderstood) {
  EXPECT_EQ(parse_wwid(GetParam().text), GetParam().wwid);
}

TEST_P(ASpellingOfAWwid, IsWrittenInOneForm) {
  const auto wwid = parse_wwid(GetParam().text).value();

  EXPECT_EQ(parse_wwid(to_string(wwid)), wwid);
}

INSTANTIATE_TEST_SUITE_P(
    Written, ASpellingOfAWwid,
    Values(Spelling{"naa.6001405abcdef0123456789abcdef012",
                    {WwidType::naa, "6001405abcdef0123456789abcdef012"}},
           Spelling{"naa.5000C500A1B2C3D4", {WwidType::naa, "5000c500a1b2c3d4"}},
           Spelling{"eui.0025385B71B0A1C2", {WwidType::eui, "0025385b71b0a1c2"}},
           Spelling{"nguid.ABCDEF0123456789abcdef0123456789",
                    {WwidType::nguid, "abcdef0123456789abcdef0123456789"}},
           Spelling{"uuid.5EA5B1F8-6A05-4B5C-8C6F-0123456789AB",
                    {WwidType::uuid, "5ea5b1f86a054b5c8c6f0123456789ab"}},
           Spelling{"uuid.5ea5b1f86a054b5c8c6f0123456789ab",
                    {WwidType::uuid, "5ea5b1f86a054b5c8c6f0123456789ab"}},
           Spelling{"file.0000fe01000000000012d687", {WwidType::file, "0000fe01000000000012d687"}},
           Spelling{"t10.41544120", {WwidType::t10, "41544120"}}));

INSTANTIATE_TEST_SUITE_P(ByTheKernel, ASpellingOfAWwid,
                         Values(Spelling{"t10.ATA     QEMU HARDDISK",
                                         {WwidType::t10,
                                          "415441202020202051454d552048415244444953"
                                          "4b"}}));

INSTANTIATE_TEST_SUITE_P(ByUdev, ASpellingOfAWwid,
                         Values(Spelling{"36001405abcdef0123456789abcdef012",
                                         {WwidType::naa, "6001405abcdef0123456789abcdef012"}},
                                Spelling{"35000C500a1b2c3d4", {WwidType::naa, "5000c500a1b2c3d4"}},
                                Spelling{"20025385b71b0a1c2", {WwidType::eui, "0025385b71b0a1c2"}},
                                Spelling{"2abcdef0123456789abcdef0123456789",
                                         {WwidType::eui, "abcdef0123456789abcdef0123456789"}}));

class ATextThatIsNoWwid : public TestWithParam<std::string> {};

TEST_P(ATextThatIsNoWwid, IsRefusedWithTheForms) {
  const auto wwid = parse_wwid(GetParam());

  ASSERT_FALSE(wwid);
  EXPECT_EQ(wwid.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(wwid.error().message, HasSubstr("naa.HEX"));
}

INSTANTIATE_TEST_SUITE_P(Forms, ATextThatIsNoWwid,
                         Values("", ".", "naa", "naa.", "t10.", "uuid.-", "naa.60014g5",
                                "naa.6001405 ", " naa.6001405", "NAA.6001405", "wwn.6001405",
                                "6001405abcdef0123456789abcdef012", "3600140",
                                "36001405abcdef0123456789abcdef01g",
                                "16001405abcdef0123456789abcdef012",
                                "3600140512345678901234567890123456", "sda",
                                "naa." + std::string(511, 'a'), "t10." + std::string(256, 'x')));

TEST(ALeadingThree, IsADigitOfItsOwnBeforeAnyOtherLength) {
  // 17 digits after the 3, then 15: neither is 8 or 16 bytes, so the 3 is no type.
  EXPECT_FALSE(parse_wwid("35000c500a1b2c3d40"));
  EXPECT_FALSE(parse_wwid("35000c500a1b2c3d"));
}

TEST(AT10Text, ThatOnlyResemblesHexIsText) {
  EXPECT_EQ(parse_wwid("t10.ABCD"), (Wwid{WwidType::t10, "41424344"}));
  EXPECT_EQ(parse_wwid("t10.abc"), (Wwid{WwidType::t10, "616263"}));
}

TEST(AHugeWwid, IsRefusedWithAShortMessage) {
  const auto wwid = parse_wwid("naa." + std::string(10'000'000, '6'));

  ASSERT_FALSE(wwid);
  EXPECT_LT(wwid.error().message.size(), 400U);
}

}  // namespace
}  // namespace volgrow
