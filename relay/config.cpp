// SPDX-License-Identifier: Apache-2.0
// relay.toml as a table of keys: what exists, what it may hold and where it goes.
#include "relay/config.h"

#include <algorithm>

#include "core/names.h"
#include "core/text.h"
#include "service/settings.h"

namespace volgrow::relay {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
namespace in = settings;

constexpr NameTable<ControlAuth, 3> auth_names{{
    {ControlAuth::noauth, "noauth"},
    {ControlAuth::http_basic, "http_basic"},
    {ControlAuth::token, "token"},
}};

/// "" stands for no file.
bool read_file_name(const in::Node& node, std::string& value) {
  const auto* text = node.as<std::string>();
  return (text && text->empty()) || in::read_path(node, value);
}

/// Part of a URL's path; "" stands for none.
bool read_project(const in::Node& node, std::string& value) {
  const auto* text = node.as<std::string>();
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  if (!text || text->size() > 255 || !std::ranges::all_of(*text, fits)) return false;
  value = *text;
  return true;
}

/// http://host:port/path, without what could hold a secret or end the path.
bool read_url(const in::Node& node, std::string& value) {
  const auto* text = node.as<std::string>();
  if (!text || text->size() > 1024 || printable(*text) != *text) return false;
  if (!text->starts_with("http://") && !text->starts_with("https://")) return false;
  const auto host = text->substr(text->find("//") + 2);
  if (host.empty() || host.starts_with('/') || host.find_first_of(" @?#") != std::string::npos)
    return false;
  value = text->substr(0, text->find_last_not_of('/') + 1);
  return true;
}

using File = in::Kind<Config>;
File file(in::Place<Config, std::string> place) {
  return in::kind_of<Config, std::string>(place, R"(an absolute path without ".." or "//", or "")",
                                          read_file_name);
}

#define AT(member) VOLGROW_AT(Config, member)
const in::Keys<Config> keys({
    {"listen", "address", in::name<Config>(AT(address))},
    {"listen", "certificate", file(AT(certificate))},
    {"listen", "key", file(AT(key))},
    {"listen", "client_ca", file(AT(client_ca))},
    {"listen", "token_file", file(AT(token_file))},
    {"listen", "most_connections",
     in::number<Config, std::uint32_t>(AT(most_connections), 1, 65'536)},
    // Each has one call on the bus at most, and the bus allows 128 of one connection.
    {"events", "most_at_once", in::number<Config, std::uint32_t>(AT(most_at_once), 1, 120)},
    {"events", "answer_ms", in::span_ms<Config>(AT(event_time), milliseconds(1), minutes(10))},
    {"control", "url",
     in::kind_of<Config, std::string>(
         AT(url), "http:// or https://, a host and a port, without user, '?' and '#'", read_url)},
    {"control", "project",
     in::kind_of<Config, std::string>(AT(project), R"(at most 255 letters, digits and '-', or "")",
                                      read_project)},
    {"control", "auth",
     in::word<Config, ControlAuth>(AT(auth), R"("noauth", "http_basic" or "token")",
                                   control_auth_named)},
    {"control", "user", in::name<Config>(AT(user))},
    {"control", "password_file", file(AT(password_file))},
    {"control", "token_file", file(AT(control_token_file))},
    {"control", "ca", file(AT(ca))},
    {"control", "certificate", file(AT(control_certificate))},
    {"control", "key", file(AT(control_key))},
    {"reports", "token_file", file(AT(report_token_file))},
    // Control takes 256 in one request.
    {"reports", "batch", in::number<Config, std::uint32_t>(AT(batch), 1, 256)},
    {"reports", "batch_kib",
     in::kind_of<Config, Bytes>(AT(batch_size), in::allowed_number(1, 4096, "KiB"),
                                [](const in::Node& node, Bytes& value) {
                                  std::int64_t count = 0;
                                  const bool right = in::read_number(node, 1, 4096, count);
                                  value = Bytes(static_cast<std::uint64_t>(count) << 10);
                                  return right;
                                })},
    {"reports", "answer_ms", in::span_ms<Config>(AT(report_time), milliseconds(1), minutes(10))},
    {"reports", "first_retry_ms", in::span_ms<Config>(AT(first_retry), milliseconds(1), hours(1))},
    {"reports", "slowest_retry_ms",
     in::span_ms<Config>(AT(slowest_retry), milliseconds(1), hours(1))},
    {"reports", "look_ms", in::span_ms<Config>(AT(look), milliseconds(1), hours(24))},
    {"agent", "reconnect_ms", in::span_ms<Config>(AT(reconnect), milliseconds(1), minutes(10))},
    {"agent", "slowest_reconnect_ms",
     in::span_ms<Config>(AT(slowest_reconnect), milliseconds(1), minutes(10))},
    {"log", "level", in::log_level<Config>(AT(log_level))},
});
#undef AT

/// Keys that are right each by itself and wrong together.
Result<void> check(const Config& c, std::string_view source) {
  const bool known_callers = !c.token_file.empty() || !c.client_ca.empty();
  return in::check(
      {{known_callers || is_loopback(c.address),
        "'listen.address' can be reached from other hosts: give 'listen.token_file' or "
        "'listen.client_ca', so that not everybody may announce events"},
       {c.certificate.empty() == c.key.empty(),
        "'listen.certificate' and 'listen.key' belong together"},
       {c.client_ca.empty() || !c.certificate.empty(),
        "'listen.client_ca' needs 'listen.certificate' and 'listen.key'"},
       {c.auth != ControlAuth::http_basic || !c.password_file.empty(),
        "'control.auth' is \"http_basic\": give 'control.password_file'"},
       {c.auth != ControlAuth::token || !c.control_token_file.empty(),
        "'control.auth' is \"token\": give 'control.token_file'"},
       {c.control_certificate.empty() == c.control_key.empty(),
        "'control.certificate' and 'control.key' belong together"},
       {c.first_retry <= c.slowest_retry,
        "'reports.first_retry_ms' must not exceed 'reports.slowest_retry_ms'"},
       {c.reconnect <= c.slowest_reconnect,
        "'agent.reconnect_ms' must not exceed 'agent.slowest_reconnect_ms'"}},
      source);
}

bool is_loopback_host(std::string_view host) {
  // Addresses are numeric (http/listening.h), and all that are written like this are in
  // 127.0.0.0/8.
  return host.starts_with("127.") || host == "[::1]";
}

}  // namespace

std::optional<ControlAuth> control_auth_named(std::string_view name) {
  return value_in(auth_names, name);
}

bool is_loopback(std::string_view listen_address) {
  return is_loopback_host(listen_address.substr(0, listen_address.rfind(':')));
}

std::vector<std::string> concerns(const Config& config) {
  std::vector<std::string> all;
  if (!is_loopback(config.address) && config.certificate.empty())
    all.emplace_back("tokens come in over the network unencrypted: see 'listen.certificate'");
  auto host = std::string_view(config.url).substr(config.url.find("//") + 2);
  host = host.substr(0, host.find('/'));
  const bool local = is_loopback(host) || host == "localhost" || host.starts_with("localhost:");
  if (config.url.starts_with("http://") && !local)
    all.emplace_back("credentials go over the network unencrypted: see 'control.url'");
  return all;
}

Result<Config> parse_config(std::string_view toml, std::string_view source_name) {
  auto file = in::parse_toml(toml, source_name);
  if (!file) return std::unexpected(std::move(file.error()));
  Config config;
  if (auto done = keys.read(*file, source_name, config); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = check(config, source_name); !done)
    return std::unexpected(std::move(done.error()));
  return config;
}

Result<Config> read_config(const std::filesystem::path& path) {
  auto text = in::read_settings_file(path);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse_config(*text, path.native());
}

}  // namespace volgrow::relay
