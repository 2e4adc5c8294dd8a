// SPDX-License-Identifier: Apache-2.0
// Hostile text made harmless, and nothing else changed.
#include "core/text.h"

#include <gmock/gmock.h>

#include <string>

namespace volgrow {
namespace {

using namespace std::string_literals;
using ::testing::TestWithParam;
using ::testing::Values;

struct Escape {
  std::string from;
  std::string to;
};

class PrintableText : public TestWithParam<Escape> {};

TEST_P(PrintableText, EscapesWhatATerminalOrALogWouldObey) {
  EXPECT_EQ(printable(GetParam().from), GetParam().to);
}

INSTANTIATE_TEST_SUITE_P(LeavesAlone, PrintableText,
                         Values(Escape{"", ""}, Escape{"/dev/sda: 20 GiB", "/dev/sda: 20 GiB"},
                                Escape{"back\\slash", "back\\slash"},
                                Escape{"Größe → 大 😀", "Größe → 大 😀"}));

INSTANTIATE_TEST_SUITE_P(ControlCharacters, PrintableText,
                         Values(Escape{"a\nb\r\t", "a\\x0ab\\x0d\\x09"},
                                Escape{"\x1b[2J", "\\x1b[2J"}, Escape{"nul\0nul"s, "nul\\x00nul"},
                                Escape{"\x7f", "\\x7f"},
                                Escape{"\u0080\u009f", "\\xc2\\x80\\xc2\\x9f"},
                                Escape{"\u00a0", "\u00a0"},
                                Escape{"\u2028\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"}));

INSTANTIATE_TEST_SUITE_P(InvalidUtf8, PrintableText,
                         Values(Escape{"\xff", "\\xff"}, Escape{"\x80", "\\x80"},
                                Escape{"caf\xe9", "caf\\xe9"}, Escape{"\xc3", "\\xc3"},
                                Escape{"\xe2\x82", "\\xe2\\x82"}, Escape{"\xc0\xaf", "\\xc0\\xaf"},
                                Escape{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
                                Escape{"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
                                Escape{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
                                Escape{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
                                Escape{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
                                Escape{"\xc3(", "\\xc3("}));

TEST(APrintableText, StaysItself) {
  const auto once = printable("\xff\x1b\u2028 ok \xc3");

  EXPECT_EQ(printable(once), once);
}

TEST(ACitation, StandsInQuotes) {
  EXPECT_EQ(cited("sda"), "\"sda\"");
  EXPECT_EQ(cited("a\nb"), "\"a\\x0ab\"");
}

TEST(ACitation, OfHostileLengthIsCut) {
  EXPECT_EQ(cited(std::string(10'000'000, 'x')), '"' + std::string(80, 'x') + "…\"");
}

TEST(ACitation, IsNotCutInTheMiddleOfACharacter) {
  const auto text = std::string(79, 'x') + "€uro";

  EXPECT_EQ(cited(text), '"' + std::string(79, 'x') + "…\"");
}

TEST(ACitation, OfNothingButContinuationBytesEnds) {
  EXPECT_EQ(cited(std::string(100, '\x80')), "\"…\"");
}

TEST(TrimmedText, HasNoWhiteSpaceAtItsEnds) {
  EXPECT_EQ(trimmed("running\n"), "running");
  EXPECT_EQ(trimmed(" \t\r\n\v\fa b \n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Hex, IsTwoLowerCaseDigitsAByte) {
  EXPECT_EQ(to_hex("\x00\x0f\xa5\xff"s + "A"), "000fa5ff41");
  EXPECT_EQ(to_hex(""), "");
}

}  // namespace
}  // namespace volgrow
