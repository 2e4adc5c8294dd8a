// SPDX-License-Identifier: Apache-2.0
// [[backend]] and [backend_helper]: every key goes where it belongs, every mistake is named with
// its line, and the rest of the file is somebody else's.
#include "backend/settings.h"

#include <gmock/gmock.h>

namespace volgrow::backend {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::TestWithParam;
using ::testing::ValuesIn;

TEST(TheSettings, OfAnEmptyFileHaveNoBackEnd) {
  const auto settings = parse_settings("", "control.toml");

  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->backends, IsEmpty());
  EXPECT_EQ(settings->socket, "/run/volgrow/backend.sock");
  EXPECT_EQ(settings->user, "volgrow-control");
}

TEST(TheSettings, HoldEveryKey) {
  const auto settings = parse_settings(R"(
    [[backend]]
    name = "fast"
    driver = "file"
    path = "/srv/fast"
    in_use_extend = false
    completion = "deferred"
    max_over_subscription_ratio = 1

    [backend_helper]
    socket = "/run/other.sock"
    user = "1000"

    [[backend]]
    name = "lan"
    driver = "tgt"
    path = "/srv/lan"
    portal = "[fd00::1]:3261"
    control_socket = "/run/tgtd/socket.1"
  )",
                                       "control.toml");

  ASSERT_TRUE(settings) << settings.error().message;
  const BackEnd fast{"fast", DriverKind::file, "/srv/fast",         false, Completion::deferred,
                     1,      "127.0.0.1:3260", "/run/tgtd/socket.0"};
  const BackEnd lan{"lan", DriverKind::tgt,  "/srv/lan",          false, Completion::immediate,
                    20,    "[fd00::1]:3261", "/run/tgtd/socket.1"};
  EXPECT_EQ(*settings, (Settings{{fast, lan}, "/run/other.sock", "1000"}));
}

TEST(TheSettings, GrowInUseByDefaultWhereTheDriverCan) {
  const auto settings = parse_settings(R"(
    [[backend]]
    name = "a"
    driver = "file"
    path = "/a"
    [[backend]]
    name = "b"
    driver = "tgt"
    path = "/b"
  )",
                                       "control.toml");

  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_TRUE(settings->backends[0].in_use_extend);
  EXPECT_FALSE(settings->backends[1].in_use_extend);
}

TEST(TheSettings, LeaveControlsSectionsAlone) {
  const auto settings = parse_settings(R"(
    [api]
    listen = "127.0.0.1:8776"
    anything = [1, 2]
    [[receiver]]
    host = "compute-1"
  )",
                                       "control.toml");

  EXPECT_TRUE(settings);
}

struct Mistake {
  std::string toml;
  std::string complaint;
};

const std::string good = "[[backend]]\nname = \"a\"\ndriver = \"file\"\npath = \"/a\"\n";
const std::string tgt = "[[backend]]\nname = \"b\"\ndriver = \"tgt\"\npath = \"/b\"\n";

const std::vector<Mistake> mistakes{
    {good + "in_use_extnd = true\n", "5: unknown key 'backend.in_use_extnd'; did you mean"},
    {good + "driver_ = 1\n", "5: unknown key 'backend.driver_'"},
    {good + "completion = \"later\"\n", R"(5: 'backend.completion' must be "immediate")"},
    {good + "max_over_subscription_ratio = 0\n", "from 1 to 1000"},
    {good + "portal = \"10.0.0.1:3260\"\n", R"(2: 'backend.portal')"},
    {"[[backend]]\ndriver = \"file\"\npath = \"/a\"\n", "2: a [[backend]] needs a 'name'"},
    {"[[backend]]\nname = \"a\"\npath = \"/a\"\n", "needs a 'driver'"},
    {"[[backend]]\nname = \"a\"\ndriver = \"file\"\n", "needs a 'path'"},
    {"[[backend]]\nname = \"a\"\ndriver = \"lvm\"\npath = \"/a\"\n", R"(must be "file" or "tgt")"},
    {"[[backend]]\nname = \"a/b\"\n", "2: 'backend.name' must be"},
    {"[[backend]]\nname = \"a\"\npath = \"a/b\"\n", "3: 'backend.path' must be"},
    {"[[backend]]\nname = \"a\"\npath = \"/a/../b\"\n", "3: 'backend.path' must be"},
    {"[backend]\nname = \"a\"\n", "1: 'backend' must be a list of sections"},
    {"backend = [1]\n", "1: "},
    {good + good, "6: two [[backend]] have this 'name'"},
    {good + "[[backend]]\nname = \"b\"\ndriver = \"file\"\npath = \"/a\"\n", "have this 'path'"},
    {tgt + "in_use_extend = true\n", R"(the driver "tgt" cannot grow)"},
    {tgt + "portal = \"10.0.0.1\"\n", "5: 'backend.portal' must be an address and a port"},
    {tgt + "portal = \"::1:3260\"\n", "5: 'backend.portal' must be"},
    {tgt + "portal = \"10.0.0.1:0\"\n", "5: 'backend.portal' must be"},
    {tgt + "portal = \"a b:1\"\n", "5: 'backend.portal' must be"},
    {"[[backend]]\nname = \"b\"\ndriver = \"tgt\"\npath = \"/a,b\"\n", "comma"},
    {"[backend_helper]\nsokcet = \"/x\"\n", "2: unknown key 'backend_helper.sokcet'; did you mean"},
    {"[backend_helper]\nsocket = \"x\"\n", "2: 'backend_helper.socket' must be"},
    {"[backend_helper]\nuser = \"\"\n", "2: 'backend_helper.user' must be"},
    {"[[backend\n", "1: "},
};

class AMistakeInTheSettings : public TestWithParam<Mistake> {};

TEST_P(AMistakeInTheSettings, IsNamedWithItsLine) {
  const auto settings = parse_settings(GetParam().toml, "control.toml");

  ASSERT_FALSE(settings) << GetParam().toml;
  EXPECT_EQ(settings.error().code, ErrorCode::invalid_args);
  EXPECT_THAT(settings.error().message,
              AllOf(StartsWith("control.toml:"), HasSubstr(GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(Of, AMistakeInTheSettings, ValuesIn(mistakes));

}  // namespace
}  // namespace volgrow::backend
