// SPDX-License-Identifier: Apache-2.0
// relay.toml: every key goes where it belongs, every mistake is named with its line and its mend,
// and a door to the network is not left open.
#include "relay/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace volgrow::relay {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::filesystem::path source_dir = VOLGROW_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {(std::istreambuf_iterator<char>(in)), {}};
}

Result<Config> parsed(std::string_view toml) {
  return parse_config(toml, "relay.toml");
}

std::string complaint_about(std::string_view toml) {
  const auto config = parsed(toml);
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, ErrorCode::invalid_args);
  return config.error().message;
}

/// "listen.address" … as they stand in the example.
std::vector<std::string> keys_of_the_example() {
  static const std::regex section(R"(\[(\w+)\])");
  static const std::regex key(R"((\w+) = .*)");
  std::vector<std::string> keys;
  std::string current;
  std::istringstream lines(text_of(source_dir / "relay" / "relay.toml"));
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, section)) current = match[1].str();
    if (std::regex_match(line, match, key)) keys.push_back(current + "." + match[1].str());
  }
  return keys;
}

TEST(TheRelaysExampleConfiguration, IsTheDefault) {
  const auto config = read_config(source_dir / "relay" / "relay.toml");

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config, Config());
}

TEST(TheRelaysExampleConfiguration, HasEveryKeyThereIs) {
  std::string known;
  for (const auto* section : {"listen", "events", "control", "reports", "agent", "log"}) {
    const auto told = complaint_about(std::string("[") + section + "]\nqqqqqqqqqqqqqqqqq = 1\n");
    std::istringstream names(told.substr(told.find("known are ") + 10));
    for (std::string name; names >> name;) {
      if (name.back() == ',') name.pop_back();
      known += std::string(section) + "." + name + "\n";
    }
  }
  std::string in_example;
  for (const auto& key : keys_of_the_example())
    in_example += key + "\n";

  EXPECT_EQ(in_example, known);
}

TEST(TheRelaysManualPage, DescribesEveryKey) {
  const auto page = text_of(source_dir / "docs" / "man" / "relay.toml.5");

  for (const auto& key : keys_of_the_example())
    EXPECT_THAT(page, HasSubstr(".It Ic " + key.substr(key.find('.') + 1) + " ")) << key;
}

TEST(ARelayConfiguration, MayBeEmpty) {
  EXPECT_EQ(parsed(""), Config());
}

/// No key keeps its default: one that goes nowhere, or elsewhere, shows.
constexpr std::string_view every_key = R"(
    log.level = "debug"
    agent = { reconnect_ms = 11, slowest_reconnect_ms = 17 }
    events = { most_at_once = 7, answer_ms = 12 }
    [listen]
    address = "[::]:1"
    certificate = "/a/cert"
    key = "/a/key"
    client_ca = "/a/ca"
    token_file = "/a/token"
    most_connections = 8
    [control]
    url = "https://control.example:8776/volume/"
    project = "9f5d0f5c"
    auth = "http_basic"
    user = "relay"
    password_file = "/c/password"
    token_file = "/c/token"
    ca = "/c/ca"
    certificate = "/c/cert"
    key = "/c/key"
    [reports]
    token_file = "/r/token"
    batch = 9
    batch_kib = 10
    answer_ms = 13
    first_retry_ms = 14
    slowest_retry_ms = 15
    look_ms = 16
  )";

Config every_value() {
  return {.address = "[::]:1",
          .certificate = "/a/cert",
          .key = "/a/key",
          .client_ca = "/a/ca",
          .token_file = "/a/token",
          .most_connections = 8,
          .most_at_once = 7,
          .event_time = milliseconds(12),
          .url = "https://control.example:8776/volume",
          .project = "9f5d0f5c",
          .auth = ControlAuth::http_basic,
          .user = "relay",
          .password_file = "/c/password",
          .control_token_file = "/c/token",
          .ca = "/c/ca",
          .control_certificate = "/c/cert",
          .control_key = "/c/key",
          .report_token_file = "/r/token",
          .batch = 9,
          .batch_size = 10_KiB,
          .report_time = milliseconds(13),
          .first_retry = milliseconds(14),
          .slowest_retry = milliseconds(15),
          .look = milliseconds(16),
          .reconnect = milliseconds(11),
          .slowest_reconnect = milliseconds(17),
          .log_level = "debug"};
}

TEST(ARelayConfiguration, PutsEveryKeyInItsPlace) {
  const auto config = parsed(every_key);

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config, every_value());
}

struct Mistake {
  std::string_view name;
  std::string_view toml;
  std::string_view complaint;
};

class AMistakeInTheRelaysConfiguration : public ::testing::TestWithParam<Mistake> {};

TEST_P(AMistakeInTheRelaysConfiguration, IsNamedWithItsLineAndItsMend) {
  EXPECT_EQ(complaint_about(GetParam().toml), GetParam().complaint);
}

const std::vector<Mistake> mistakes{
    {"SlipInAKey", "[listen]\n\nadress = \"127.0.0.1:1\"\n",
     "relay.toml:3: unknown key 'listen.adress'; did you mean 'address'?"},
    {"UnknownAuth", "[control]\nauth = \"keystone\"\n",
     "relay.toml:2: 'control.auth' must be \"noauth\", \"http_basic\" or \"token\""},
    {"RelativeFile", "[listen]\ntoken_file = \"token\"\n",
     "relay.toml:2: 'listen.token_file' must be an absolute path without \"..\" or \"//\", or "
     "\"\""},
    {"ProjectWithASlash", "[control]\nproject = \"a/b\"\n",
     "relay.toml:2: 'control.project' must be at most 255 letters, digits and '-', or \"\""},
    {"UrlWithoutAScheme", "[control]\nurl = \"control:8776\"\n",
     "relay.toml:2: 'control.url' must be http:// or https://, a host and a port, without user, "
     "'?' and '#'"},
    {"UrlWithAPassword", "[control]\nurl = \"http://me:secret@control\"\n",
     "relay.toml:2: 'control.url' must be http:// or https://, a host and a port, without user, "
     "'?' and '#'"},
    {"UrlWithoutAHost", "[control]\nurl = \"http:///\"\n",
     "relay.toml:2: 'control.url' must be http:// or https://, a host and a port, without user, "
     "'?' and '#'"},
    {"TooManyAtOnce", "[events]\nmost_at_once = 121\n",
     "relay.toml:2: 'events.most_at_once' must be a whole number from 1 to 120"},
    {"BatchTooLarge", "[reports]\nbatch_kib = 4097\n",
     "relay.toml:2: 'reports.batch_kib' must be a whole number of KiB from 1 to 4096"},
    {"CertificateWithoutItsKey", "[listen]\ncertificate = \"/cert\"\n",
     "relay.toml: 'listen.certificate' and 'listen.key' belong together"},
    {"ClientsCaWithoutTls", "[listen]\nclient_ca = \"/ca\"\n",
     "relay.toml: 'listen.client_ca' needs 'listen.certificate' and 'listen.key'"},
    {"BasicWithoutAPassword", "[control]\nauth = \"http_basic\"\n",
     "relay.toml: 'control.auth' is \"http_basic\": give 'control.password_file'"},
    {"TokenWithoutAFile", "[control]\nauth = \"token\"\n",
     "relay.toml: 'control.auth' is \"token\": give 'control.token_file'"},
    {"KeyWithoutItsCertificate", "[control]\nkey = \"/key\"\n",
     "relay.toml: 'control.certificate' and 'control.key' belong together"},
    {"RetriesTheWrongWayRound", "[reports]\nfirst_retry_ms = 600000\n",
     "relay.toml: 'reports.first_retry_ms' must not exceed 'reports.slowest_retry_ms'"},
    {"ReconnectsTheWrongWayRound", "[agent]\nslowest_reconnect_ms = 999\n",
     "relay.toml: 'agent.reconnect_ms' must not exceed 'agent.slowest_reconnect_ms'"},
};

INSTANTIATE_TEST_SUITE_P(Table, AMistakeInTheRelaysConfiguration, ::testing::ValuesIn(mistakes),
                         [](const auto& row) { return std::string(row.param.name); });

// ---- the door to the network

std::string listening_on(std::string_view address, std::string_view more = {}) {
  return complaint_about("[listen]\naddress = \"" + std::string(address) + "\"\n" +
                         std::string(more));
}

class AnAddressOfThisHost : public ::testing::TestWithParam<const char*> {};

TEST_P(AnAddressOfThisHost, NeedsNoToken) {
  EXPECT_EQ(listening_on(GetParam()), "accepted");
}

INSTANTIATE_TEST_SUITE_P(OfEachFamily, AnAddressOfThisHost,
                         ::testing::Values("127.0.0.1:8790", "127.0.0.2:0", "[::1]:8790"));

class AnAddressOfTheNetwork : public ::testing::TestWithParam<const char*> {};

TEST_P(AnAddressOfTheNetwork, IsRefusedWithoutATokenOrCertificates) {
  EXPECT_THAT(listening_on(GetParam()),
              StartsWith("relay.toml: 'listen.address' can be reached from other hosts"));
}

TEST_P(AnAddressOfTheNetwork, IsAcceptedWithEither) {
  EXPECT_EQ(listening_on(GetParam(), "token_file = \"/token\""), "accepted");
  EXPECT_EQ(listening_on(GetParam(), "certificate=\"/c\"\nkey=\"/k\"\nclient_ca=\"/ca\""),
            "accepted");
}

TEST_P(AnAddressOfTheNetwork, IsNotGuardedByTlsAlone) {
  EXPECT_THAT(listening_on(GetParam(), "certificate = \"/c\"\nkey = \"/k\""),
              HasSubstr("can be reached from other hosts"));
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, AnAddressOfTheNetwork,
                         ::testing::Values("192.0.2.1:8790", ":8790", "0.0.0.0:8790", "[::]:8790",
                                           "[2001:db8::1]:8790", "[::1%lo]:8790", "8790",
                                           "12.7.0.1:8790", "localhost:8790"));

TEST(ASecretOnTheNetwork, IsWorthASentence) {
  EXPECT_THAT(concerns(Config()), IsEmpty());
  EXPECT_THAT(concerns({.address = ":8790", .token_file = "/t"}),
              ElementsAre(HasSubstr("listen.certificate")));
  EXPECT_THAT(concerns({.url = "http://control.example:8776"}),
              ElementsAre(HasSubstr("control.url")));
  EXPECT_THAT(concerns({.url = "http://localhost:8776"}), IsEmpty());
  EXPECT_THAT(concerns({.url = "https://control.example:8776"}), IsEmpty());
}

}  // namespace
}  // namespace volgrow::relay
