// SPDX-License-Identifier: Apache-2.0
// LUNs as drivers of Cinder write them, and as the kernel shows them.
#include "connectors/scsi_lun.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

using testing::ElementsAre;

TEST(ALun, IsANumberOrADecimalText) {
  EXPECT_EQ(parse_lun(Value(0)), 0U);
  EXPECT_EQ(parse_lun(Value(257U)), 257U);
  EXPECT_EQ(parse_lun(Value("1")), 1U);
  EXPECT_EQ(parse_lun(Value(" 12 ")), 12U);
}

TEST(ALun, InHexadecimalIsANumberUnlessItHasEightBytes) {
  EXPECT_EQ(parse_lun(Value("0x1")), 1U);
  EXPECT_EQ(parse_lun(Value("0X101")), 257U);
}

// What by-path names say: two bytes a level, the first level in the kernel's lowest sixteen bits.
TEST(ALun, OfEightBytesIsCountedAsTheKernelDoes) {
  EXPECT_EQ(parse_lun(Value("0x0001000000000000")), 1U);
  EXPECT_EQ(parse_lun(Value("0x0101000000000000")), 257U);
  EXPECT_EQ(parse_lun(Value("0x4101000000000000")), 257U + 16384U);
  EXPECT_EQ(parse_lun(Value("0x4101000200000000")), 2U << 16 | 0x4101U);
}

TEST(ALun, ThatIsNoLunIsRefused) {
  for (const auto& wrong :
       {Value(-1), Value(1.5), Value(true), Value(), Value(""), Value("one"), Value("1 2"),
        Value("-1"), Value("0x"), Value("0x1g"), Value("18446744073709551616"),
        Value("0x10000000000000000"), Value(Value::Array{Value(1)})})
    EXPECT_THAT(parse_lun(wrong), FailsWith(ErrorCode::bad_connection_info, "expected a LUN"));
}

TEST(TheAddressingMode, IsOneOfOsBricks) {
  EXPECT_EQ(parse_lun_addressing(Value("SAM")), LunAddressing::as_given);
  EXPECT_EQ(parse_lun_addressing(Value("transparent")), LunAddressing::as_given);
  EXPECT_EQ(parse_lun_addressing(Value("SAM2")), LunAddressing::sam2);
  EXPECT_EQ(parse_lun_addressing(Value("SAM3-flat")), LunAddressing::sam3_flat);
  EXPECT_EQ(parse_lun_addressing(Value()), LunAddressing::as_given);
  EXPECT_THAT(parse_lun_addressing(Value("SAM4")),
              FailsWith(ErrorCode::bad_connection_info, "\"SAM4\""));
  EXPECT_THAT(parse_lun_addressing(Value(2)), FailsWith(ErrorCode::bad_connection_info, "no text"));
}

TEST(TheKernelsNumberForALun, IsFirstTheOneOfItsAddressingMode) {
  EXPECT_EQ(kernel_luns(255, LunAddressing::sam2).front(), 255U);
  EXPECT_EQ(kernel_luns(256, LunAddressing::sam2).front(), 16640U);
  EXPECT_EQ(kernel_luns(1, LunAddressing::sam3_flat).front(), 16385U);
  EXPECT_EQ(kernel_luns(257, LunAddressing::as_given).front(), 257U);
}

TEST(TheKernelsNumberForALun, MayBeOfAnotherFormThanWasSaid) {
  EXPECT_THAT(kernel_luns(257, LunAddressing::as_given), ElementsAre(257U, 16641U));
  EXPECT_THAT(kernel_luns(257, LunAddressing::sam2), ElementsAre(16641U, 257U));
  EXPECT_THAT(kernel_luns(1, LunAddressing::sam3_flat), ElementsAre(16385U, 1U));
  EXPECT_THAT(kernel_luns(16641, LunAddressing::as_given), ElementsAre(16641U, 257U));
}

TEST(TheKernelsNumberForALun, OfAnotherMethodThanFlatSpaceIsTakenAsItIs) {
  EXPECT_THAT(kernel_luns(0xc101, LunAddressing::sam3_flat), ElementsAre(0xc101U));
}

}  // namespace
}  // namespace volgrow
