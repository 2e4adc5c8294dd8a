// SPDX-License-Identifier: Apache-2.0
// Which microversion a request asks for, as nova-api 26.2.2 was seen to take it.
#include "relay/nova_version.h"

#include <gtest/gtest.h>

namespace volgrow::relay {
namespace {

constexpr const char* field = "OpenStack-API-Version";
constexpr const char* legacy = "X-OpenStack-Nova-API-Version";

std::string asked_by(const http::Fields& fields) {
  const auto version = version_asked(fields);
  return version ? to_text(*version) : version.error().fault.message;
}

TEST(ARequestsVersion, IsTheOldestWhenItNamesNone) {
  EXPECT_EQ(asked_by({}), "2.1");
  EXPECT_EQ(asked_by({{field, "volume 3.70"}}), "2.1");
}

TEST(ARequestsVersion, MayStandInEitherField) {
  EXPECT_EQ(asked_by({{field, "compute 2.51"}}), "2.51");
  EXPECT_EQ(asked_by({{legacy, "2.51"}}), "2.51");
  EXPECT_EQ(asked_by({{field, "volume 3.70,compute 2.51"}}), "2.51");
  EXPECT_EQ(asked_by({{field, "volume 3.70"}, {legacy, "2.51"}}), "2.51");
}

TEST(ARequestsVersion, IsTheNewFieldsWhenTheyDiffer) {
  EXPECT_EQ(asked_by({{field, "compute 2.51"}, {legacy, "2.1"}}), "2.51");
  EXPECT_EQ(asked_by({{field, "compute 2.1"}, {legacy, "2.51"}}), "2.1");
}

TEST(ARequestsVersion, MayBeTheLatest) {
  EXPECT_EQ(asked_by({{field, "compute latest"}}), "2.93");
  EXPECT_EQ(asked_by({{legacy, "latest"}}), "2.93");
}

TEST(ARequestsVersion, IsRefusedOutOfRange) {
  const auto newer = version_asked({{field, "compute 2.999"}});
  const auto older = version_asked({{field, "compute 1.0"}});

  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().fault,
            (NovaFault{406,
                       "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum "
                       "is 2.93."}));
  EXPECT_EQ(newer.error().asked, (NovaVersion{2, 999}));
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().fault.status, 406);
}

class AMalformedVersion : public ::testing::TestWithParam<const char*> {};

TEST_P(AMalformedVersion, IsABadRequestWithoutAVersion) {
  const auto version = version_asked({{field, std::string("compute ") + GetParam()}});

  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().fault,
            (NovaFault{400, std::string("API Version String ") + GetParam() +
                                " is of invalid format. Must be of format MajorNum.MinorNum."}));
  EXPECT_EQ(version.error().asked, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, AMalformedVersion,
                         ::testing::Values("junk", "2", "2.", ".51", "2.051", "02.51", "0.1",
                                           "2.51 x", "2.5x", "-2.51", "99999999999.1"));

TEST(AnAnswersVersion, StandsInBothFields) {
  http::Response response;

  add_version(response, {2, 51});

  EXPECT_EQ(
      response.fields,
      (http::Fields{{field, "compute 2.51"}, {legacy, "2.51"}, {"Vary", field}, {"Vary", legacy}}));
}

}  // namespace
}  // namespace volgrow::relay
