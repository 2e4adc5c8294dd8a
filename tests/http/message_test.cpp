// SPDX-License-Identifier: Apache-2.0
// The parts of messages: names, escapes, paths, queries.
#include "http/message.h"

#include <gmock/gmock.h>

namespace volgrow::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsNull;
using ::testing::Pair;
using ::testing::Pointee;

TEST(FieldsOfAMessage, AreFoundInAnyCaseAndTheFirstOfTwo) {
  const Fields fields{{"X-Id", "1"}, {"Vary", "a"}, {"x-ID", "2"}};

  EXPECT_THAT(fields.find("x-id"), Pointee(std::string("1")));
  EXPECT_THAT(fields.find("VARY"), Pointee(std::string("a")));
  EXPECT_THAT(fields.find("X-I"), IsNull());
  EXPECT_THAT(fields.find("X-Idx"), IsNull());
  EXPECT_EQ(fields.count("X-Id"), 2U);
}

TEST(FieldsOfAMessage, KeepTheirOrder) {
  Fields fields{{"B", "1"}};
  fields.add("A", "2");
  fields.add("B", "3");

  EXPECT_EQ(fields, (Fields{{"B", "1"}, {"A", "2"}, {"B", "3"}}));
}

TEST(AnEscape, IsDecodedOnceAndOnlyWhenItIsOne) {
  EXPECT_EQ(percent_decoded("a%2Fb%2fc"), "a/b/c");
  EXPECT_EQ(percent_decoded("%252F"), "%2F");
  EXPECT_EQ(percent_decoded("%c3%A4"), "ä");
  EXPECT_EQ(percent_decoded("%00x"), std::string("\0x", 2));
  EXPECT_EQ(percent_decoded("%"), "%");
  EXPECT_EQ(percent_decoded("%2"), "%2");
  EXPECT_EQ(percent_decoded("%zz%2g%-1"), "%zz%2g%-1");
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
}

TEST(APath, IsSplitBeforeItIsDecoded) {
  EXPECT_THAT(path_segments("/v3/a%2Fb/volumes"), ElementsAre("v3", "a/b", "volumes"));
  EXPECT_THAT(path_segments("/v3/"), ElementsAre("v3", ""));
  EXPECT_THAT(path_segments("//v3"), ElementsAre("", "v3"));
  EXPECT_THAT(path_segments("/"), ElementsAre(""));
  EXPECT_THAT(path_segments("*"), ElementsAre("*"));
  EXPECT_THAT(path_segments(""), ElementsAre(""));
}

TEST(AQuery, KeepsOrderRepetitionsAndKeysWithoutValue) {
  EXPECT_THAT(query_parameters("b=1&a=2&b=3&all&empty="),
              ElementsAre(Pair("b", "1"), Pair("a", "2"), Pair("b", "3"), Pair("all", ""),
                          Pair("empty", "")));
}

TEST(AQuery, IsDecodedAfterItIsSplit) {
  EXPECT_THAT(query_parameters("a%26b=c%3Dd&e=f=g&h+i=j%2Bk"),
              ElementsAre(Pair("a&b", "c=d"), Pair("e", "f=g"), Pair("h i", "j+k")));
  EXPECT_THAT(query_parameters("&&=x&"), ElementsAre(Pair("", "x")));
  EXPECT_THAT(query_parameters(""), IsEmpty());
}

TEST(ATarget, IsPathAndQuery) {
  const auto split = [](std::string_view target) {
    const auto [path, query] = split_target(target);
    return std::pair(std::string(path), std::string(query));
  };

  EXPECT_THAT(split("/a?b?c"), Pair("/a", "b?c"));
  EXPECT_THAT(split("/a"), Pair("/a", ""));
  EXPECT_THAT(split("http://h:1/a?b"), Pair("/a", "b"));
  EXPECT_THAT(split("http://h?b"), Pair("/", "b"));
  EXPECT_THAT(split("/go?to=http://h/"), Pair("/go", "to=http://h/"));
  EXPECT_THAT(split("/http://h/"), Pair("/http://h/", ""));
  EXPECT_THAT(split("*"), Pair("*", ""));
  EXPECT_THAT(split(""), Pair("", ""));
}

TEST(ARequest, FindsTheFirstParameterOfAName) {
  const Request request{.query = {{"limit", "1"}, {"limit", "2"}}};

  EXPECT_THAT(request.parameter("limit"), Pointee(std::string("1")));
  EXPECT_THAT(request.parameter("marker"), IsNull());
}

TEST(AFieldValue, HasNothingThatCouldBeginAnotherField) {
  EXPECT_TRUE(is_field_value("a\tb \xc3\xa4"));
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value("a\r"));
  EXPECT_FALSE(is_field_value("a\nb"));
  EXPECT_FALSE(is_field_value(std::string_view("\0", 1)));
  EXPECT_FALSE(is_field_value("\x7f"));
}

TEST(AToken, IsWhatNamesAFieldOrAMethod) {
  EXPECT_TRUE(is_token("X-Auth-Token"));
  EXPECT_TRUE(is_token("M-SEARCH!"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a:"));
  EXPECT_FALSE(is_token("\xc3\xa4"));
}

}  // namespace
}  // namespace volgrow::http
