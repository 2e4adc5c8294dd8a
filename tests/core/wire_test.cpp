// SPDX-License-Identifier: Apache-2.0
// The worker's wire: every shape there and back, and bytes that are no such thing.
#include "core/wire.h"

#include <gmock/gmock.h>

namespace volgrow {
namespace {

enum class Colour : std::uint8_t { red, green };

struct Part {
  std::uint16_t number = 0;
  std::optional<std::string> text;
  bool operator==(const Part&) const = default;
};

struct Whole {
  std::vector<Part> parts;
  std::variant<std::monostate, Part, std::string> choice;
  std::expected<std::string, Part> answer;
  std::expected<void, Part> done;
  std::pair<Colour, bool> pair{};
  double ratio = 0;
  bool operator==(const Whole&) const = default;
};

template <class A, wire::SameAs<Part> V>
void fields(A& a, V& v) {
  a(v.number, v.text);
}
template <class A, wire::SameAs<Whole> V>
void fields(A& a, V& v) {
  a(v.parts, v.choice, v.answer, v.done, v.pair, v.ratio);
}

Whole full() {
  return {.parts = {{1, "a"}, {2, std::nullopt}, {3, ""}},
          .choice = Part{7, std::string("\0\xff", 2)},
          .answer = "yes",
          .done = {},
          .pair = {Colour::green, true},
          .ratio = 0.1};
}

TEST(AValueOnTheWire, ComesBackTheSame) {
  EXPECT_EQ(wire::decode<Whole>(wire::encode(full())), full());
  EXPECT_EQ(wire::decode<Whole>(wire::encode(Whole())), Whole());
}

TEST(AValueOnTheWire, ComesBackWithItsFailure) {
  auto sent = full();
  sent.answer = std::unexpected(Part{5, "why"});
  sent.done = std::unexpected(Part{6, "not"});
  sent.choice = "text";

  EXPECT_EQ(wire::decode<Whole>(wire::encode(sent)), sent);
}

TEST(CutBytes, AreNoValueWhereverTheyEnd) {
  const auto bytes = wire::encode(full());

  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_EQ(wire::decode<Whole>(std::string_view(bytes).substr(0, length)), std::nullopt);
}

TEST(BytesLeftOver, AreNoValue) {
  EXPECT_EQ(wire::decode<Whole>(wire::encode(full()) + '\0'), std::nullopt);
}

TEST(ALength, BeyondTheBytesThereAreIsNoValue) {
  const auto bytes = wire::encode(std::uint32_t{0xffffffff}) + "abc";

  EXPECT_EQ(wire::decode<std::string>(bytes), std::nullopt);
  EXPECT_EQ(wire::decode<std::vector<Part>>(bytes), std::nullopt);
}

TEST(AChoice, ThatDoesNotExistIsNoValue) {
  using Choice = std::variant<std::monostate, std::string>;

  EXPECT_EQ(wire::decode<Choice>("\x02"), std::nullopt);
  EXPECT_EQ(wire::decode<Choice>(std::string_view("\0", 1)), Choice());
}

TEST(ABoolean, IsTrueForAnyByteButZero) {
  EXPECT_EQ(wire::decode<bool>("\x02"), true);
  EXPECT_EQ(wire::decode<bool>(std::string_view("\0", 1)), false);
}

TEST(AReader, StaysFailedAfterItsFirstSurprise) {
  wire::Reader in("\x01");
  std::uint32_t number = 0;
  std::uint8_t byte = 0;

  in(number, byte);

  EXPECT_FALSE(in.ok());
  EXPECT_FALSE(in.finished());
  EXPECT_EQ(byte, 0);
}

}  // namespace
}  // namespace volgrow
