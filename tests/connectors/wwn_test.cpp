// SPDX-License-Identifier: Apache-2.0
// World Wide Names of ports in the spellings that drivers, switches and the kernel have.
#include "connectors/wwn.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow {
namespace {

TEST(AWwn, IsTheSameInEverySpelling) {
  for (const auto* text :
       {"500a098100000abc", "500A098100000ABC", "0x500a098100000abc", "0X500A098100000ABC",
        "50:0a:09:81:00:00:0a:bc", "50:0A:09:81:00:00:0A:BC", " 500a098100000abc\n"})
    EXPECT_EQ(parse_wwn(text), "500a098100000abc") << text;
}

TEST(AWwn, IsRefusedWhenItIsMalformed) {
  for (const auto* text : {"", "0x", "500a098100000ab", "500a098100000abc0", "500a098100000abg",
                           "50:0a:09:81:00:00:0a", "50-0a-09-81-00-00-0a-bc",
                           "500:a:09:81:00:00:0a:bc", "50:0a:09:81:00:00:0a:bc:",
                           "0x50:0a:09:81:00:00:0a:b", "::::::::::::::::", "500a0981 00000abc"})
    EXPECT_THAT(parse_wwn(text), FailsWith(ErrorCode::bad_connection_info, "expected a WWN"))
        << text;
}

}  // namespace
}  // namespace volgrow
