// SPDX-License-Identifier: Apache-2.0
// The options of a call: what is understood, and the sentence for what is not.
#include "dbus/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace volgrow::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

RequestOptions every_option() {
  RequestOptions options;
  options.mode = Mode::exact;
  options.deadline = 1500ms;
  options.idempotency_key = "attempt-1";
  options.volume_id = "vol-1";
  options.wwid = Wwid{WwidType::naa, "6001405aabbccdd0"};
  options.dead_paths = DeadPaths::wait;
  options.dry_run = true;
  return options;
}

TEST(Options, AreTheDefaultsWhenNoneAreGiven) {
  EXPECT_EQ(parse_options({}), RequestOptions{});
}

TEST(Options, AllArrive) {
  const Options sent{{"mode", "exact"},
                     {"deadline-ms", std::uint32_t{1500}},
                     {"idempotency-key", "attempt-1"},
                     {"volume-id", "vol-1"},
                     {"wwid", "naa.6001405aabbccdd0"},
                     {"dead-paths", "wait"},
                     {"dry-run", true}};

  const auto parsed = parse_options(sent);

  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, every_option());
}

TEST(Options, SurviveTheWayThere) {
  const auto sent = options_of(every_option());
  ASSERT_TRUE(sent);

  EXPECT_EQ(parse_options(*sent), every_option());
}

TEST(Options, AreNotSentWhenTheyAreTheDefaults) {
  EXPECT_EQ(options_of(RequestOptions{}), Options{});
}

TEST(Options, NoteAPassphraseThatCameAsADescriptor) {
  const auto parsed = parse_options({{"passphrase", PassedDescriptor{}}});

  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->has_passphrase);
}

TEST(Options, CannotSendAPassphraseTheyDoNotHold) {
  RequestOptions options;
  options.has_passphrase = true;

  const auto sent = options_of(options);

  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::not_supported);
}

struct Refusal {
  std::string key;
  OptionValue value;
  std::string says;
};

class ARefusedOption : public ::testing::TestWithParam<Refusal> {};

TEST_P(ARefusedOption, IsNamedWithWhatItMayBe) {
  const auto parsed = parse_options({{GetParam().key, GetParam().value}});

  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(parsed.error().message, AllOf(HasSubstr(GetParam().key), HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ARefusedOption,
    ::testing::Values(Refusal{"colour", "red", "mode s, deadline-ms u, idempotency-key s"},
                      Refusal{"mode", "larger", "at-least or exact"},
                      Refusal{"mode", std::uint32_t{1}, "\"s\", not \"u\""},
                      Refusal{"deadline-ms", "soon", "\"u\", not \"s\""},
                      Refusal{"deadline-ms", OtherType{"t"}, "\"u\", not \"t\""},
                      Refusal{"idempotency-key", "", "empty"},
                      Refusal{"idempotency-key", std::string(257, 'k'), "at most 256"},
                      Refusal{"volume-id", "../../etc/shadow", "letters, digits"},
                      Refusal{"wwid", "sda", "wwid"},
                      Refusal{"wwid", std::string(300, 'f'), "at most 256"},
                      Refusal{"passphrase", "secret", "\"h\", not \"s\""},
                      Refusal{"dead-paths", "ignore", "evict or wait"},
                      Refusal{"dry-run", "yes", "\"b\", not \"s\""},
                      Refusal{"dry-run", OtherType{"a{sv}"}, "not \"a{sv}\""}));

TEST(ARefusedPassphrase, IsNotRepeatedInTheError) {
  const auto parsed = parse_options({{"passphrase", "correct horse"}});

  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, Not(HasSubstr("correct horse")));
}

TEST(AnUnknownOption, OfMegabytesIsNotEchoedWhole) {
  const auto parsed = parse_options({{std::string(1 << 20, 'x'), true}});

  ASSERT_FALSE(parsed);
  EXPECT_LT(parsed.error().message.size(), 1024U);
}

TEST(AnUnknownOption, IsMadePrintable) {
  const auto parsed = parse_options({{"\x1b[31m", true}});

  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("\\x1b[31m"));
}

TEST(ATimeSpan, IsRoundedUpAndKeptInRange) {
  EXPECT_EQ(whole_milliseconds(0us), 0U);
  EXPECT_EQ(whole_milliseconds(1us), 1U);
  EXPECT_EQ(whole_milliseconds(-5s), 0U);
  EXPECT_EQ(whole_milliseconds(std::chrono::hours(24 * 365)), 4294967295U);
}

}  // namespace
}  // namespace volgrow::bus
