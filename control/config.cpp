// SPDX-License-Identifier: Apache-2.0
// control.toml as tables of keys. What [[backend]] and [backend_helper] hold is read by backend/,
// which reads the same file.
#include "control/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/names.h"
#include "service/settings.h"

namespace volgrow::control {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
namespace in = settings;

constexpr std::array auths{Named{Auth::noauth, "noauth"}, Named{Auth::http_basic, "http_basic"}};
constexpr std::array checks{Named{CapabilityCheck::api, "api"},
                            Named{CapabilityCheck::scheduler, "scheduler"}};
constexpr std::array rules{Named{PolicyRule::allow, "allow"}, Named{PolicyRule::deny, "deny"},
                           Named{PolicyRule::admin, "admin"}};

constexpr std::int64_t most_gib = 2147483647;  ///< what Cinder's database holds

auto named_in(const auto& table) {
  return [&table](std::string_view name) { return value_in(table, name); };
}

#define AT(member) VOLGROW_AT(Config, member)
const in::Keys<Config> keys({
    {"api", "listen", in::name<Config>(AT(listen))},
    {"api", "auth",
     in::word<Config, Auth>(AT(auth), R"("noauth" or "http_basic")", named_in(auths))},
    {"api", "htpasswd_file", in::path<Config>(AT(htpasswd_file))},
    {"api", "certificate", in::path<Config>(AT(tls_certificate))},
    {"api", "key", in::path<Config>(AT(tls_key))},
    {"api", "client_ca", in::path<Config>(AT(tls_client_ca))},
    {"api", "capability_check",
     in::word<Config, CapabilityCheck>(AT(capability_check), R"("api" or "scheduler")",
                                       named_in(checks))},
    {"api", "most_connections",
     in::number<Config, std::uint32_t>(AT(most_connections), 1, 100'000)},
    {"api", "page_limit", in::number<Config, std::uint32_t>(AT(page_limit), 1, 100'000)},
    {"api", "request_ms", in::span_ms<Config>(AT(request_time), milliseconds(1), minutes(10))},
    {"api", "availability_zone", in::name<Config>(AT(availability_zone))},
    {"api", "host", in::name<Config>(AT(host))},
    {"database", "url", in::name<Config>(AT(database_url))},
    {"nova", "endpoint", in::name<Config>(AT(nova_endpoint))},
    {"nova", "token_file", in::path<Config>(AT(nova_token_file))},
    {"nova", "ca", in::path<Config>(AT(nova_ca))},
    {"events", "answer_ms", in::span_ms<Config>(AT(event_time), milliseconds(1), minutes(10))},
    {"events", "first_retry_ms",
     in::span_ms<Config>(AT(first_retry), milliseconds(1), minutes(10))},
    {"events", "slowest_retry_ms",
     in::span_ms<Config>(AT(slowest_retry), milliseconds(1), hours(24))},
    {"events", "most_attempts", in::number<Config, std::uint32_t>(AT(most_attempts), 1, 1000)},
    {"events", "confirm_timeout_ms",
     in::span_ms<Config>(AT(confirm_timeout), milliseconds(1), hours(24))},
    {"events", "most_renotifies", in::number<Config, std::uint32_t>(AT(most_renotifies), 0, 5)},
    {"events", "backend_ms", in::span_ms<Config>(AT(backend_time), milliseconds(1), hours(1))},
    {"reports", "tokens_file", in::path<Config>(AT(report_tokens_file))},
    {"quota", "volumes", in::number<Config, std::int64_t>(AT(quota_volumes), -1, most_gib)},
    {"quota", "gigabytes", in::number<Config, std::int64_t>(AT(quota_gigabytes), -1, most_gib)},
    {"quota", "per_volume_gigabytes",
     in::number<Config, std::int64_t>(AT(quota_per_volume_gigabytes), -1, most_gib)},
    {"notifications", "url", in::name<Config>(AT(notification_url))},
    {"log", "level", in::log_level<Config>(AT(log_level))},
});
#undef AT

#define AT(member) VOLGROW_AT(Receiver, member)
const in::Keys<Receiver> receiver_keys({
    {"receiver", "host", in::name<Receiver>(AT(host))},
    {"receiver", "url", in::name<Receiver>(AT(url))},
    {"receiver", "token_file", in::path<Receiver>(AT(token_file))},
    {"receiver", "ca", in::path<Receiver>(AT(ca))},
});
#undef AT

Result<void> read_receivers(const in::Name& name, const in::Node& node, std::string_view source,
                            Config& config) {
  const auto* list = node.as<in::List>();
  if (!list) return in::wrong_at(source, name.line, "'receiver' must be a list: [[receiver]]");
  for (const auto& entry : *list) {
    Receiver receiver;
    if (auto done = receiver_keys.read_section(name, entry, source, receiver); !done) return done;
    if (receiver.host.empty() || receiver.url.empty())
      return in::wrong_at(source, name.line, "a [[receiver]] needs 'host' and 'url'");
    if (std::ranges::find(config.receivers, receiver.host, &Receiver::host) !=
        config.receivers.end())
      return in::wrong_at(source, name.line,
                          fmt::format("two receivers for host '{}'", receiver.host));
    config.receivers.push_back(std::move(receiver));
  }
  return {};
}

/// Rules have any name: Cinder's, and those of releases to come.
Result<void> read_policy(const in::Name& name, const in::Node& node, std::string_view source,
                         Config& config) {
  const auto* table = node.as<in::Table>();
  if (!table) return in::not_a_section(source, name);
  for (const auto& [rule, value] : *table) {
    const auto* text = value.as<std::string>();
    const auto known = text ? value_in(rules, *text) : std::nullopt;
    if (!known)
      return in::not_allowed(source, rule, fmt::format("policy.{}", rule.text),
                             R"("allow", "deny" or "admin")");
    config.policy[rule.text] = *known;
  }
  return {};
}

Result<void> read_section(const in::Name& name, const in::Node& node, std::string_view source,
                          Config& config) {
  if (name.text == "backend" || name.text == "backend_helper") return {};
  if (name.text == "receiver") return read_receivers(name, node, source, config);
  if (name.text == "policy") return read_policy(name, node, source, config);
  return keys.read_section(name, node, source, config);
}

bool is_database(const std::string& url) {
  return url.starts_with("sqlite:///") && url.size() > std::string_view("sqlite:///").size();
}

bool is_url(const std::string& url) {
  return url.empty() || url.starts_with("http://") || url.starts_with("https://");
}

Result<void> check(const Config& config, std::string_view source) {
  return in::check(
      {{is_database(config.database_url),
        "'database.url' must be sqlite:///FILE (PostgreSQL is not there yet)"},
       {config.auth != Auth::http_basic || !config.htpasswd_file.empty(),
        "'api.auth' = \"http_basic\" needs 'api.htpasswd_file'"},
       {config.tls_certificate.empty() == config.tls_key.empty(),
        "'api.certificate' and 'api.key' go together"},
       {config.tls_client_ca.empty() || !config.tls_certificate.empty(),
        "'api.client_ca' needs 'api.certificate' and 'api.key'"},
       {config.first_retry <= config.slowest_retry,
        "'events.first_retry_ms' must not exceed 'events.slowest_retry_ms'"},
       {is_url(config.nova_endpoint), "'nova.endpoint' must be a URL: http://… or https://…"},
       {is_url(config.notification_url),
        "'notifications.url' must be a URL: http://… or https://…"},
       {std::ranges::all_of(config.receivers, is_url, &Receiver::url),
        "'receiver.url' must be a URL: http://… or https://…"},
       {std::ranges::none_of(config.receivers, [](const Receiver& r) { return r.host == "nova"; }),
        "no receiver's host may be called 'nova': that is [nova]"}},
      source);
}

}  // namespace

Result<Config> parse_config(std::string_view toml, std::string_view source_name) {
  const auto file = in::parse_toml(toml, source_name);
  if (!file) return std::unexpected(file.error());
  Config config;
  for (const auto& [name, node] : *file)
    if (auto done = read_section(name, node, source_name, config); !done)
      return std::unexpected(done.error());
  auto backends = backend::parse_settings(toml, source_name);
  if (!backends) return std::unexpected(std::move(backends.error()));
  config.backends = std::move(*backends);
  if (auto done = check(config, source_name); !done) return std::unexpected(done.error());
  return config;
}

Result<Config> read_config(const std::filesystem::path& path) {
  auto text = in::read_settings_file(path);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse_config(*text, path.native());
}

}  // namespace volgrow::control
