// SPDX-License-Identifier: Apache-2.0
// SCSI bytes as tables: what real targets send, what broken or hostile ones could.
#include "connectors/scsi.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow::scsi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values)
    text.push_back(static_cast<char>(value));
  return text;
}

/// A page 0x83 with this designator list.
std::string page(const std::string& list, int first_byte = 0) {
  return bytes({first_byte, 0x83, static_cast<int>(list.size() >> 8),
                static_cast<int>(list.size() & 0xff)}) +
         list;
}

std::string designator(int code_set, int association_and_type, const std::string& value) {
  return bytes({code_set, association_and_type, 0, static_cast<int>(value.size())}) + value;
}

const auto naa6 = bytes({0x60, 1, 0x40, 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
const auto naa5 = bytes({0x50, 1, 0x40, 0x5a, 1, 2, 3, 4});
const auto eui = bytes({0, 0x25, 0x38, 1, 2, 3, 4, 5});

TEST(TheReadCapacityCommand, AsksForThirtyTwoBytes) {
  EXPECT_THAT(read_capacity_16(),
              ElementsAre(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0));
}

TEST(TheInquiryCommand, AsksForPage83WithTheRoomGiven) {
  EXPECT_THAT(inquire_identification(0x1234), ElementsAre(0x12, 0x01, 0x83, 0x12, 0x34, 0));
}

TEST(ACapacityReply, IsTheLastBlockPlusOneTimesTheBlockLength) {
  const auto reply =
      bytes({0, 0, 0, 0, 0, 0x4f, 0xff, 0xff, 0, 0, 0x10, 0}) + std::string(20, '\0');

  EXPECT_EQ(parse_capacity(reply), (Capacity{Bytes(0x500000ULL * 4096), 4_KiB}));
}

TEST(ACapacityReply, IsRefusedWhenItSaysNoSize) {
  const auto no_block_length = std::string(32, '\0');
  const auto overflowing = std::string(8, '\xff') + bytes({0, 0, 2, 0});
  const auto too_large = bytes({0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 2, 0});

  for (const auto& reply : {no_block_length, overflowing, too_large})
    EXPECT_THAT(parse_capacity(reply), FailsWith(ErrorCode::no_usable_path, "nonsense"));
}

TEST(ACapacityReply, IsRefusedWhenItIsCutOff) {
  EXPECT_THAT(parse_capacity(std::string(11, '\1')),
              FailsWith(ErrorCode::no_usable_path, "answered 11 bytes"));
}

TEST(TheIdentity, IsTheNaaDesignatorBeforeEuiAndT10) {
  const auto all = page(designator(2, 0x01, "VENDOR  disk") + designator(1, 0x02, eui) +
                        designator(1, 0x03, naa5));

  EXPECT_EQ(parse_identification(all), (Wwid{WwidType::naa, "5001405a01020304"}));
}

TEST(TheIdentity, IsTheLongNaaBeforeTheShortOne) {
  const auto both = page(designator(1, 0x03, naa5) + designator(1, 0x03, naa6));

  EXPECT_EQ(parse_identification(both), (Wwid{WwidType::naa, "6001405a0102030405060708090a0b0c"}));
}

// Some targets give one unit several: the pin made at the attach must be the one found later.
TEST(TheIdentity, IsTheFirstOfSeveralAsGood) {
  auto other = naa6;
  other.back() = 0x7f;

  EXPECT_EQ(parse_identification(page(designator(1, 0x03, naa6) + designator(1, 0x03, other))),
            (Wwid{WwidType::naa, "6001405a0102030405060708090a0b0c"}));
}

TEST(TheIdentity, IsEuiWhereThereIsNoNaa) {
  const auto some = page(designator(2, 0x01, "VENDOR  disk") + designator(1, 0x02, eui));

  EXPECT_EQ(parse_identification(some), (Wwid{WwidType::eui, "0025380102030405"}));
}

TEST(TheIdentity, IsT10TextWhereThereIsNothingBetter) {
  EXPECT_EQ(parse_identification(page(designator(2, 0x01, "LIO 1"))),
            (Wwid{WwidType::t10, "4c494f2031"}));
}

TEST(TheIdentity, IsNeverThePortsOrTheTargetsName) {
  const auto port = designator(0x61, 0x93, naa5);
  const auto target = designator(0x61, 0xa3, naa6);

  EXPECT_EQ(parse_identification(page(port + target)), std::nullopt);
}

TEST(TheIdentity, IsNotADesignatorOfImpossibleLength) {
  const auto short_naa = designator(1, 0x03, naa6.substr(0, 8));
  const auto unknown_naa = designator(1, 0x03, bytes({0x90, 1, 2, 3, 4, 5, 6, 7}));
  const auto long_eui = designator(1, 0x02, naa6 + eui);
  const auto zero_eui = designator(1, 0x02, std::string(8, '\0'));
  const auto no_text = designator(2, 0x01, "");

  EXPECT_EQ(parse_identification(page(short_naa + unknown_naa + long_eui + zero_eui + no_text)),
            std::nullopt);
}

TEST(TheIdentity, IsReadFromEuiOfEveryLength) {
  for (const std::size_t length : {8U, 12U, 16U})
    EXPECT_EQ(parse_identification(page(designator(1, 0x02, naa6.substr(0, length)))),
              (Wwid{WwidType::eui, "6001405a0102030405060708090a0b0c"s.substr(0, 2 * length)}));
}

TEST(AnIdentificationPage, IsRefusedWhereverItIsCutOff) {
  const auto whole = page(designator(1, 0x03, naa6));

  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(parse_identification(whole.substr(0, size)),
                FailsWith(ErrorCode::no_usable_path, ""))
        << size;
}

TEST(AnIdentificationPage, IsRefusedWhenADesignatorReachesBeyondIt) {
  auto lying = page(designator(1, 0x03, naa6));
  lying[4 + 3] = 17;

  EXPECT_THAT(parse_identification(lying), FailsWith(ErrorCode::no_usable_path, "cut off"));
}

TEST(AnIdentificationPage, IsRefusedWhenItIsAnotherPage) {
  auto other = page(designator(1, 0x03, naa6));
  other[1] = '\x80';

  EXPECT_THAT(parse_identification(other), FailsWith(ErrorCode::no_usable_path, "no device"));
}

TEST(AnIdentificationPage, SaysWhenThereIsNoLogicalUnitBehindTheAddress) {
  const auto list = designator(1, 0x03, naa6);

  EXPECT_THAT(parse_identification(page(list, 0x7f)),
              FailsWith(ErrorCode::no_such_device, "no logical unit"));
  EXPECT_THAT(parse_identification(page(list, 0x20)),
              FailsWith(ErrorCode::no_usable_path, "not connected"));
}

TEST(AnIdentificationPage, TellsHowLongItIs) {
  EXPECT_EQ(identification_size(bytes({0, 0x83, 0x01, 0x02, 9})), 4U + 0x102);
  EXPECT_EQ(identification_size(""), 4U);
}

TEST(SenseData, IsReadInBothFormats) {
  const auto fixed = bytes({0xf0, 0, 0x26, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x2a, 9, 0, 0, 0, 0});
  const auto descriptor = bytes({0x72, 0x06, 0x2a, 0x09, 0, 0, 0, 0});

  EXPECT_EQ(parse_sense(fixed), (Sense{6, 0x2a, 9}));
  EXPECT_EQ(parse_sense(descriptor), (Sense{6, 0x2a, 9}));
}

TEST(SenseData, IsNothingWhenItIsShortOrOfNoFormat) {
  EXPECT_EQ(parse_sense(""), std::nullopt);
  EXPECT_EQ(parse_sense(bytes({0x70, 0, 6})), std::nullopt);
  EXPECT_EQ(parse_sense(bytes({0x72, 6, 0x2a})), std::nullopt);
  EXPECT_EQ(parse_sense(bytes({0x12, 6, 0x2a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})), std::nullopt);
}

TEST(SenseData, IsAUnitAttentionOrAnUnsupportedRequestByItsKey) {
  EXPECT_TRUE(is_unit_attention({6, 0x2a, 9}));
  EXPECT_TRUE(is_unit_attention({6, 0x3f, 0x0e}));
  EXPECT_FALSE(is_unit_attention({2, 4, 0}));
  EXPECT_TRUE(is_unsupported({5, 0x24, 0}));
  EXPECT_TRUE(is_unsupported({5, 0x20, 0}));
  EXPECT_FALSE(is_unsupported({5, 0x25, 0}));
}

TEST(ARefusal, OfALunThatIsGoneSaysThatThereIsNoSuchDevice) {
  const auto gone = bytes({0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0, 0, 0, 0, 0});

  EXPECT_THAT(refusal(check_condition, gone, "sda"),
              ErrorIs(ErrorCode::no_such_device, "05/25/00, the target has no such logical unit"));
}

TEST(ARefusal, OfAnyOtherKindSaysThatThePathIsOfNoUse) {
  const auto not_ready = bytes({0x72, 2, 4, 3});

  EXPECT_THAT(refusal(check_condition, not_ready, "sda"),
              ErrorIs(ErrorCode::no_usable_path, "02/04/03, the logical unit is not ready"));
  EXPECT_THAT(refusal(0x18, "", "sda"), ErrorIs(ErrorCode::no_usable_path, "RESERVATION CONFLICT"));
  EXPECT_THAT(refusal(check_condition, "", "sda").message, HasSubstr("without sense"));
  EXPECT_EQ(refusal(0x08, "", "sda").device, "sda");
}

}  // namespace
}  // namespace volgrow::scsi
