// SPDX-License-Identifier: Apache-2.0
// JSON from strangers: what is kept, what is refused, and that refusing is cheap.
#include "core/json.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace volgrow {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::TestWithParam;
using ::testing::Values;

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out.append(text);
  return out;
}

std::string message_of(const Result<Value>& result) {
  return result ? "no error" : result.error().message;
}

TEST(Json, BecomesAValueOfTheSameShape) {
  const auto value = parse_json(R"( {"b": [1, -2, 2.5, true, null], "a": {"x": "y"}} )");

  const Value expected =
      Value::Object{{"b", Value::Array{std::uint64_t{1}, std::int64_t{-2}, 2.5, true, nullptr}},
                    {"a", Value::Object{{"x", "y"}}}};
  EXPECT_EQ(value, expected);
}

TEST(Json, KeepsWholeNumbersExactly) {
  EXPECT_EQ(parse_json("18446744073709551615"), Value(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(parse_json("-9223372036854775808"), Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(parse_json("-0"), Value(std::uint64_t{0}));
}

TEST(Json, MakesOtherNumbersFloating) {
  EXPECT_EQ(parse_json("18446744073709551616"), Value(18446744073709551616.0));
  EXPECT_EQ(parse_json("1.0"), Value(1.0));
  EXPECT_EQ(parse_json("1e3"), Value(1000.0));
}

TEST(Json, MayHoldAnEscapedNul) {
  EXPECT_EQ(parse_json(R"("a\u0000b")"), Value("a\0b"s));
}

class ARefusedText : public TestWithParam<std::string> {};

TEST_P(ARefusedText, IsNotJson) {
  const auto value = parse_json(GetParam());

  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(value.error().message, HasSubstr("not JSON from byte"));
}

INSTANTIATE_TEST_SUITE_P(Forms, ARefusedText,
                         Values("", " ", "{", "[", "[1,]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "'a'",
                                "{} {}", "1 2", "nul", "NaN", "Infinity", "01", "+1", ".5",
                                "// x\n1", "/* x */ 1", "\"\n\"", "\"a\0b\""s, "{}\0"s, "\"\xff\"",
                                "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", R"("\ud800")", R"("\x41")",
                                "\"open"));

TEST(AnUnreadableText, IsNotCitedBecauseItMayHoldAPassword) {
  const auto message = message_of(parse_json(R"({"auth_password": "hunter2" "x"})"));

  EXPECT_THAT(message, AllOf(HasSubstr("not JSON from byte"), Not(HasSubstr("hunter2"))));
}

TEST(ANumberTooBigForJson, IsRefused) {
  EXPECT_THAT(message_of(parse_json("[1e999]")), HasSubstr("too big"));
}

TEST(ARepeatedKey, IsRefusedByName) {
  EXPECT_THAT(message_of(parse_json(R"({"lun": 1, "x": 2, "lun": 1})")),
              HasSubstr(R"(the key "lun" is there twice)"));
}

TEST(ARepeatedKey, IsFoundInAnyObject) {
  EXPECT_FALSE(parse_json(R"([{"a": {"b": 1, "b": 1}}])"));
  EXPECT_FALSE(parse_json(R"({"": 1, "": 1})"));
  EXPECT_FALSE(parse_json(R"({"a": 1, "\u0061": 1})"));
}

TEST(ARepeatedKey, InAnotherObjectIsAnotherKey) {
  EXPECT_TRUE(parse_json(R"({"a": {"a": {"a": 1}}, "b": {"a": 1}})"));
}

TEST(ARepeatedKey, OfHostileLengthIsCutInTheMessage) {
  const auto key = std::string(10'000, 'k');

  const auto message = message_of(parse_json("{\"" + key + "\":1,\"" + key + "\":1}"));

  EXPECT_LT(message.size(), 200U);
}

TEST(TheDepthLimit, AdmitsExactlyItsLevels) {
  EXPECT_TRUE(parse_json(repeated("[", 16) + repeated("]", 16)));
  EXPECT_THAT(message_of(parse_json(repeated("[", 17) + repeated("]", 17))),
              HasSubstr("deeper than the 16 levels"));
}

TEST(TheDepthLimit, CountsObjectsAndArraysAlike) {
  EXPECT_FALSE(parse_json(R"([{"a":[1]}])", {.depth = 2}));
  EXPECT_TRUE(parse_json(R"([{"a":[1]}])", {.depth = 3}));
}

TEST(TheDepthLimit, CountsSiblingsOnce) {
  EXPECT_TRUE(parse_json("[" + repeated("[[]],", 1000) + "1]", {.depth = 3}));
}

TEST(TheDepthLimit, StopsABombOfTenMillionBrackets) {
  const auto bomb = std::string(10'000'000, '[');

  EXPECT_THAT(message_of(parse_json(bomb, {.size = 64_MiB, .depth = 16})), HasSubstr("deeper"));
}

TEST(TheDepthLimit, StopsABombOfObjects) {
  EXPECT_THAT(message_of(parse_json(repeated(R"({"a":)", 50'000))), HasSubstr("deeper"));
}

TEST(TheSizeLimit, AdmitsExactlyItsBytes) {
  EXPECT_TRUE(parse_json("[1,2]", {.size = 5_B}));
  EXPECT_THAT(message_of(parse_json("[1,2]", {.size = 4_B})),
              HasSubstr("5 bytes of JSON; at most 4"));
}

TEST(TheSizeLimit, RefusesAHugeStringUnread) {
  EXPECT_THAT(message_of(parse_json('"' + std::string(10'000'000, 'x') + '"')),
              HasSubstr("at most 262144"));
}

TEST(AnObject, MayHaveAsManyKeysAsFit) {
  std::string text = "{";
  for (int i = 0; i < 20'000; ++i)
    text += '"' + std::to_string(i) + "\":1,";
  text += "\"last\":1}";

  EXPECT_TRUE(parse_json(text));
}

TEST(AValue, IsWrittenOnOneLineInItsOrder) {
  const Value value = Value::Object{
      {"z", Value::Array{1, -1, 2.0, true, nullptr, Value::Array(), Value::Object()}}, {"a", "b"}};

  EXPECT_EQ(to_json(value), R"({"z":[1,-1,2.0,true,null,[],{}],"a":"b"})");
}

TEST(AValue, IsWrittenWithItsTextEscaped) {
  EXPECT_EQ(to_json(Value("a\"b\\\n\0\x1b"s)), R"("a\"b\\\n\u0000\u001b")");
  EXPECT_EQ(to_json(Value::Object{{"\n", "Größe"}}), R"({"\n":"Größe"})");
}

TEST(AValue, WithInvalidUtf8IsWrittenWithReplacements) {
  EXPECT_EQ(to_json(Value("caf\xe9!")), "\"caf\uFFFD!\"");
  EXPECT_EQ(to_json(Value::Object{{"\xff", 1}}), "{\"\uFFFD\":1}");
}

TEST(AValue, ThatIsNoNumberIsNull) {
  EXPECT_EQ(to_json(Value(std::nan(""))), "null");
}

class AText : public TestWithParam<std::string> {};

TEST_P(AText, IsReadBackAsTheSameValue) {
  const auto value = parse_json(GetParam()).value();

  EXPECT_EQ(parse_json(to_json(value)), value);
}

INSTANTIATE_TEST_SUITE_P(Forms, AText,
                         Values("null", "0", "-0", "-1", "18446744073709551615", "0.1", "1e300",
                                "-5e-324", "1e22", "123456789012345678901234567890", "-0.0",
                                "\"\\u0000\\u2028\\ud83d\\ude00\"", "[]", "{}", R"({"":[{}]})"));

TEST(FindingAMember, OfWhatIsNoObjectFindsNothing) {
  EXPECT_EQ(Value("text").find("a"), nullptr);
  EXPECT_EQ(Value(Value::Array{1}).find("a"), nullptr);
  EXPECT_EQ(Value().find("a"), nullptr);
}

}  // namespace
}  // namespace volgrow
