// SPDX-License-Identifier: Apache-2.0
// When requests are answered, and by whom, whatever they are for.
#include <fmt/format.h>

#include "tests/control/rest_api.h"

namespace volgrow::control::rest {
namespace {

class ARequest : public RestApi {};

TEST_F(ARequest, IsAnsweredWhenWhatItChangedIsDurableAndNotBefore) {
  const auto request =
      call("PUT", "os-quota-sets/" + some_project, R"({"quota_set": {"volumes": 5}})");

  EXPECT_EQ(answered_at_once(request), std::nullopt);

  EXPECT_EQ(answer_to(request).status, 200);
}

TEST_F(ARequest, IsAnsweredAtOnceWhenItOnlyAsks) {
  const auto response = answered_at_once(call("GET", "volumes"));

  ASSERT_NE(response, std::nullopt);
  EXPECT_EQ(response->status, 200);
}

TEST_F(ARequest, IsAskedForTheKindOfItsBodyBeforeAnythingIsLookedFor) {
  auto request = call("PUT", "messages/none", "{}");
  EXPECT_EQ(answer_to(request).status, 404);

  request.fields = {{"X-Auth-Token", "alice:" + some_project}, {"Content-Type", "text/plain"}};

  EXPECT_EQ(answer_to(request).status, 415);
}

// ---- as long as the server lets them in: a target of 8 KiB ----

class AList : public RestApi {
 protected:
  AList() { create_volume(R"({"volume":{"size":1,"metadata":{"k1":"v","k2":"v"}}})"); }

  static std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i)
      out += text;
    return out;
  }
  std::size_t count_of(const http::Response& response) const {
    const auto list = body_of(response);
    const auto* volumes = list.find("volumes");
    return volumes == nullptr ? 0 : volumes->array()->size();
  }
};

TEST_F(AList, IsSortedByTheSameKeysHoweverOftenTheyAreNamed) {
  EXPECT_EQ(answer_to("GET", "volumes?sort=" + repeated("id,", 2600) + "size").status, 200);
}

TEST_F(AList, IsPagedInThatOrderToo) {
  const auto marker = create_volume();

  const auto page = answer_to(
      "GET", "volumes?sort=" + repeated("size:asc,id:desc,", 450) + "size&marker=" + marker);

  EXPECT_EQ(page.status, 200);
}

TEST_F(AList, IsOfVolumesThatHaveEveryPairHoweverManyAreAsked) {
  std::string many = R"("k1":"v")";
  for (int i = 0; i < 1005; ++i)
    many += fmt::format(R"(,"{}{}":"")", static_cast<char>('A' + i / 40),
                        static_cast<char>('0' + i % 40));

  EXPECT_EQ(count_of(answer_to("GET", R"(volumes?metadata={"k1":"v","k2":"v"})")), 1U);
  EXPECT_EQ(count_of(answer_to("GET", R"(volumes?metadata={"k1":"v","k2":"w"})")), 0U);
  EXPECT_EQ(count_of(answer_to("GET", R"(volumes?metadata={"k1":"v","k3":""})")), 0U);
  EXPECT_EQ(count_of(answer_to("GET", "volumes?metadata={}")), 1U);
  const auto of_many = answer_to("GET", "volumes?metadata={" + many + "}");
  EXPECT_EQ(of_many.status, 200);
  EXPECT_EQ(count_of(of_many), 0U);
}

}  // namespace
}  // namespace volgrow::control::rest
