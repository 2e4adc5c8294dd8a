// SPDX-License-Identifier: Apache-2.0
// control.toml: every key goes where it belongs, and every mistake is named with its line.
#include "control/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace volgrow::control {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const std::filesystem::path source_dir = VOLGROW_SOURCE_DIR;

Config parsed(std::string_view toml) {
  auto config = parse_config(toml, "control.toml");
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : Config{};
}

std::string complaint_about(std::string_view toml) {
  const auto config = parse_config(toml, "control.toml");
  return config ? "accepted" : config.error().message;
}

TEST(TheExampleConfigurationOfControl, IsTheDefault) {
  const auto config = read_config(source_dir / "control" / "control.toml");

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config, Config());
}

TEST(AConfigurationOfControl, MayBeEmpty) {
  EXPECT_EQ(parsed(""), Config());
}

/// No key keeps its default: one that goes nowhere, or elsewhere, shows.
constexpr std::string_view every_key = R"(
    [api]
    listen = "[::1]:1"
    auth = "http_basic"
    htpasswd_file = "/h"
    certificate = "/c"
    key = "/k"
    client_ca = "/ca"
    capability_check = "scheduler"
    most_connections = 2
    page_limit = 3
    request_ms = 4
    availability_zone = "az"
    host = "me"
    [database]
    url = "sqlite:////d"
    [nova]
    endpoint = "http://n"
    token_file = "/nt"
    ca = "/nca"
    [events]
    answer_ms = 5
    first_retry_ms = 6
    slowest_retry_ms = 7
    most_attempts = 8
    confirm_timeout_ms = 9
    most_renotifies = 4
    backend_ms = 10
    [reports]
    tokens_file = "/rt"
    [quota]
    volumes = 11
    gigabytes = 12
    per_volume_gigabytes = 13
    [notifications]
    url = "http://w"
    [log]
    level = "debug"
    [policy]
    "volume:extend" = "deny"
    [[receiver]]
    host = "node1"
    url = "https://r"
    token_file = "/t"
    ca = "/rca"
    [[backend]]
    name = "b"
    driver = "file"
    path = "/b"
    [backend_helper]
    socket = "/s"
  )";

Config with_every_face() {
  Config config;
  config.listen = "[::1]:1";
  config.auth = Auth::http_basic;
  config.htpasswd_file = "/h";
  config.tls_certificate = "/c";
  config.tls_key = "/k";
  config.tls_client_ca = "/ca";
  config.capability_check = CapabilityCheck::scheduler;
  config.most_connections = 2;
  config.page_limit = 3;
  config.request_time = milliseconds(4);
  config.availability_zone = "az";
  config.host = "me";
  config.database_url = "sqlite:////d";
  config.nova_endpoint = "http://n";
  config.nova_token_file = "/nt";
  config.nova_ca = "/nca";
  return config;
}

Config with_every_key() {
  auto config = with_every_face();
  config.event_time = milliseconds(5);
  config.first_retry = milliseconds(6);
  config.slowest_retry = milliseconds(7);
  config.most_attempts = 8;
  config.confirm_timeout = milliseconds(9);
  config.most_renotifies = 4;
  config.backend_time = milliseconds(10);
  config.report_tokens_file = "/rt";
  config.quota_volumes = 11;
  config.quota_gigabytes = 12;
  config.quota_per_volume_gigabytes = 13;
  config.notification_url = "http://w";
  config.log_level = "debug";
  config.policy = {{"volume:extend", PolicyRule::deny}};
  config.receivers = {{"node1", "https://r", "/t", "/rca"}};
  config.backends =
      parse_config("[[backend]]\nname = \"b\"\ndriver = \"file\"\npath = \"/b\"\n", "")->backends;
  config.backends.socket = "/s";
  return config;
}

TEST(AConfigurationOfControl, PutsEveryKeyInItsPlace) {
  EXPECT_EQ(parsed(every_key), with_every_key());
}

struct Mistake {
  std::string_view toml;
  std::string_view told;
};
class AMistakenConfiguration : public testing::TestWithParam<Mistake> {};

TEST_P(AMistakenConfiguration, IsToldWithItsLineAndItsMend) {
  EXPECT_THAT(complaint_about(GetParam().toml), HasSubstr(std::string(GetParam().told)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, AMistakenConfiguration,
    testing::Values(
        Mistake{"[api]\nlisen = \"x\"\n",
                "control.toml:2: unknown key 'api.lisen'; did you mean 'listen'?"},
        Mistake{"[api]\nauth = \"keystone\"\n", "'api.auth' must be \"noauth\" or \"http_basic\""},
        Mistake{"[api]\nauth = \"http_basic\"\n", "needs 'api.htpasswd_file'"},
        Mistake{"[api]\ncertificate = \"/c\"\n", "go together"},
        Mistake{"[api]\nclient_ca = \"/c\"\n", "needs 'api.certificate'"},
        Mistake{"[database]\nurl = \"postgresql://x\"\n", "PostgreSQL is not there yet"},
        Mistake{"[events]\nmost_renotifies = 6\n", "from 0 to 5"},
        Mistake{"[nova]\nendpoint = \"nova:8774\"\n", "must be a URL"},
        Mistake{"[policy]\n\"volume:extend\" = \"maybe\"\n",
                "control.toml:2: 'policy.volume:extend' must be \"allow\", \"deny\" or \"admin\""},
        Mistake{"[receiver]\nhost = \"a\"\n", "must be a list: [[receiver]]"},
        Mistake{"[[receiver]]\nhost = \"a\"\n", "needs 'host' and 'url'"},
        Mistake{"[[receiver]]\nhost = \"nova\"\nurl = \"http://a\"\n", "may be called 'nova'"},
        Mistake{"[[receiver]]\nhost=\"a\"\nurl=\"http://a\"\n[[receiver]]\nhost=\"a\"\n"
                "url=\"http://b\"\n",
                "two receivers for host 'a'"},
        Mistake{"[[backend]]\nname = \"a\"\npath = \"/a\"\nin_use_extnd = true\n",
                "unknown key 'backend.in_use_extnd'"},
        Mistake{"[quota]\ngigabytes = -2\n", "from -1 to 2147483647"}));

}  // namespace
}  // namespace volgrow::control
