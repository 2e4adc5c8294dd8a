// SPDX-License-Identifier: Apache-2.0
// Values as CPython 3.11 prints them; every expectation was copied from one.
#include "core/python_repr.h"

#include <gtest/gtest.h>

#include "core/json.h"

namespace volgrow {
namespace {

struct Sample {
  const char* json;
  const char* python;
};

class AValueInPython : public ::testing::TestWithParam<Sample> {};

TEST_P(AValueInPython, IsItsRepr) {
  const auto value = parse_json(GetParam().json);

  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(python_repr(*value), GetParam().python);
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, AValueInPython,
    ::testing::Values(Sample{"null", "None"}, Sample{"true", "True"}, Sample{"[false]", "[False]"},
                      Sample{"-3", "-3"}, Sample{"18446744073709551615", "18446744073709551615"},
                      Sample{"1.0", "1.0"}, Sample{"1e16", "1e+16"}, Sample{"0.0001", "0.0001"},
                      Sample{"0.00001", "1e-05"}, Sample{"123456789012345.6", "123456789012345.6"},
                      Sample{"[]", "[]"}, Sample{"{}", "{}"},
                      Sample{R"({"a": [1, "b"], "c": null})", "{'a': [1, 'b'], 'c': None}"}));

INSTANTIATE_TEST_SUITE_P(
    OfText, AValueInPython,
    ::testing::Values(Sample{R"("plain")", "'plain'"}, Sample{R"("it's")", R"("it's")"},
                      Sample{R"("it's \"so\"")", R"('it\'s "so"')"},
                      Sample{R"("a\nb\tc\rd\\e")", R"('a\nb\tc\rd\\e')"},
                      Sample{R"("\u0001\u007f\u00a0")", R"('\x01\x7f\xa0')"},
                      Sample{R"("Größe \u2028")", R"('Größe \u2028')"},
                      Sample{R"("\ud83d\ude00\udb40\udc01")", "'😀\\U000e0001'"}));

TEST(ATextInPython, IsItselfAsAString) {
  EXPECT_EQ(python_str(Value("it's")), "it's");
  EXPECT_EQ(python_str(Value(true)), "True");
}

}  // namespace
}  // namespace volgrow
