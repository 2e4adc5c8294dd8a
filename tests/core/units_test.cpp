// SPDX-License-Identifier: Apache-2.0
// Sizes and times as people type and read them, and the arithmetic of Bytes.
#include "core/units.h"

#include <gmock/gmock.h>

#include <string>

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::TestWithParam;
using ::testing::Values;

struct SizeText {
  std::string text;
  Bytes size;
};

class ATypedSize : public TestWithParam<SizeText> {};

TEST_P(ATypedSize, IsUnderstood) {
  EXPECT_EQ(parse_size(GetParam().text), GetParam().size);
}

INSTANTIATE_TEST_SUITE_P(Forms, ATypedSize,
                         Values(SizeText{"0", 0_B}, SizeText{"21474836480", 20_GiB},
                                SizeText{"1K", 1_KiB}, SizeText{"1KiB", 1_KiB},
                                SizeText{"1KB", 1000_B}, SizeText{"3M", 3_MiB},
                                SizeText{"3MiB", 3_MiB}, SizeText{"3MB", 3'000'000_B},
                                SizeText{"20G", 20_GiB}, SizeText{"20GiB", 20_GiB},
                                SizeText{"20GB", 20'000'000'000_B}, SizeText{"2T", 2048_GiB},
                                SizeText{"2TiB", 2048_GiB}, SizeText{"2TB", 2'000'000'000'000_B},
                                SizeText{"1P", 1'048'576_GiB}, SizeText{"1PiB", 1'048'576_GiB},
                                SizeText{"1PB", 1'000'000'000'000'000_B}, SizeText{"007", 7_B},
                                SizeText{"18446744073709551615", Bytes(UINT64_MAX)},
                                SizeText{"16383P", Bytes(std::uint64_t{16383} << 50)}));

class ATextThatIsNoSize : public TestWithParam<std::string> {};

TEST_P(ATextThatIsNoSize, IsRefusedWithTheFormsThatAre) {
  const auto size = parse_size(GetParam());

  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(size.error().message, HasSubstr("20GiB"));
}

INSTANTIATE_TEST_SUITE_P(Forms, ATextThatIsNoSize,
                         Values("", "G", "GiB", "-1", "+1", "1.5G", "1,5G", " 1", "1 ", "20 GiB",
                                "20g", "20gib", "20B", "20GBx", "0x10", "1e9", "1E", "twenty",
                                "18446744073709551616", "16384P", "99999999999999999999999T",
                                std::string("1\0G", 3), "20G\n"));

TEST(ASizeForPeople, IsBinaryWithTwoDecimalsAtMost) {
  EXPECT_EQ(human_size(0_B), "0 B");
  EXPECT_EQ(human_size(512_B), "512 B");
  EXPECT_EQ(human_size(1023_B), "1023 B");
  EXPECT_EQ(human_size(1_KiB), "1 KiB");
  EXPECT_EQ(human_size(1536_MiB), "1.5 GiB");
  EXPECT_EQ(human_size(1280_KiB), "1.25 MiB");
  EXPECT_EQ(human_size(20_GiB), "20 GiB");
  EXPECT_EQ(human_size(2048_GiB), "2 TiB");
  EXPECT_EQ(human_size(Bytes(std::uint64_t{3} << 59)), "1.5 EiB");
}

TEST(ASizeForPeople, IsNeverBiggerThanTheSize) {
  EXPECT_EQ(human_size(20_GiB - 512_B), "19.99 GiB");
  EXPECT_EQ(human_size(1_MiB - 1_B), "1023.99 KiB");
  EXPECT_EQ(human_size(1_GiB + 11_MiB), "1.01 GiB");
  EXPECT_EQ(human_size(Bytes(UINT64_MAX)), "15.99 EiB");
}

TEST(ATypedDuration, IsUnderstood) {
  EXPECT_EQ(parse_duration("30"), Duration(30s));
  EXPECT_EQ(parse_duration("30s"), Duration(30s));
  EXPECT_EQ(parse_duration("500ms"), Duration(500ms));
  EXPECT_EQ(parse_duration("20us"), Duration(20us));
  EXPECT_EQ(parse_duration("2min"), Duration(2min));
  EXPECT_EQ(parse_duration("1h"), Duration(1h));
  EXPECT_EQ(parse_duration("0"), Duration::zero());
}

class ATextThatIsNoDuration : public TestWithParam<std::string> {};

TEST_P(ATextThatIsNoDuration, IsRefusedWithTheFormsThatAre) {
  const auto span = parse_duration(GetParam());

  ASSERT_FALSE(span);
  EXPECT_EQ(span.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(span.error().message, HasSubstr("500ms"));
}

INSTANTIATE_TEST_SUITE_P(Forms, ATextThatIsNoDuration,
                         Values("", "s", "-1s", "1.5s", "1 s", "30sec", "2m", "1d", "ms30",
                                "9223372036854775807s", "18446744073709551616", "876001h"));

TEST(TheLongestDuration, CanBeAddedToAnyClock) {
  const auto longest = parse_duration("876000h").value();

  EXPECT_TRUE(within(longest, SystemClock().now()).at > SystemClock().now());
}

TEST(ADurationForPeople, HasTheUnitThatFits) {
  EXPECT_EQ(human_duration(0us), "0 us");
  EXPECT_EQ(human_duration(999us), "999 us");
  EXPECT_EQ(human_duration(1840us), "1.8 ms");
  EXPECT_EQ(human_duration(2ms), "2 ms");
  EXPECT_EQ(human_duration(999'999us), "999 ms");
  EXPECT_EQ(human_duration(1500ms), "1.5 s");
  EXPECT_EQ(human_duration(12s), "12 s");
  EXPECT_EQ(human_duration(60s), "1 min");
  EXPECT_EQ(human_duration(125s), "2 min 5 s");
  EXPECT_EQ(human_duration(3h + 25min + 1s), "3 h 25 min");
  EXPECT_EQ(human_duration(-1s), "0 us");
}

TEST(ATimestamp, IsUtcWithMicroseconds) {
  EXPECT_EQ(utc_timestamp(WallTime()), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(utc_timestamp(WallTime(1'767'225'600s)), "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(utc_timestamp(WallTime(1'709'251'199s + 999'999us)), "2024-02-29T23:59:59.999999Z");
  EXPECT_EQ(utc_timestamp(WallTime(-1us)), "1969-12-31T23:59:59.999999Z");
}

TEST(ATimestamp, OfABrokenClockKeepsItsForm) {
  EXPECT_EQ(utc_timestamp(WallTime::min()), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(utc_timestamp(WallTime::max()), "9999-12-31T23:59:59.999999Z");
}

TEST(ATimestamp, IsReadBack) {
  for (const auto time : {WallTime(), WallTime(1'767'225'600s + 7us), WallTime(-1us)})
    EXPECT_EQ(parse_utc_timestamp(utc_timestamp(time)), time);
}

class ATextThatIsNoTimestamp : public TestWithParam<std::string> {};

TEST_P(ATextThatIsNoTimestamp, IsRefusedWithTheForm) {
  const auto time = parse_utc_timestamp(GetParam());

  ASSERT_FALSE(time);
  EXPECT_EQ(time.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(time.error().message, HasSubstr("2026-01-01T00:00:00.000000Z"));
}

INSTANTIATE_TEST_SUITE_P(Forms, ATextThatIsNoTimestamp,
                         Values("", "2026-01-01", "2026-01-01T00:00:00Z",
                                "2026-01-01 00:00:00.000000Z", "2026-01-01T00:00:00.000000+",
                                "2026-13-01T00:00:00.000000Z", "2026-00-01T00:00:00.000000Z",
                                "2026-02-29T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z",
                                "2026-01-01T00:60:00.000000Z", "2026-01-01T00:00:60.000000Z",
                                "-026-01-01T00:00:00.000000Z", "2026-01-01T+1:00:00.000000Z",
                                "2026-01-01T00:00:00.-00001Z", "2026-01-01T00:00:00.00000 Z"));

TEST(Bytes, SubtractDownToNothing) {
  EXPECT_EQ(5_B - 3_B, 2_B);
  EXPECT_EQ(3_B - 5_B, 0_B);
}

TEST(Sectors, Are512BytesWhateverTheDeviceSays) {
  EXPECT_EQ(from_sectors(2097152), 1_GiB);
}

}  // namespace
}  // namespace volgrow
