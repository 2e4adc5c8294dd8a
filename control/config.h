// SPDX-License-Identifier: Apache-2.0
// control.toml as values, checked as a whole before anything starts.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backend/settings.h"
#include "control/model.h"
#include "core/clock.h"
#include "core/error.h"

namespace volgrow::control {

enum class Auth : std::uint8_t { noauth, http_basic };
/// Who refuses to extend in use what cannot: the API at once, or the scheduler after a 202, as
/// Cinder does.
enum class CapabilityCheck : std::uint8_t { api, scheduler };
enum class PolicyRule : std::uint8_t { allow, deny, admin };

/// Where events for a host go, when not to Nova.
struct Receiver {
  std::string host;  ///< the connector's; "*" is every host that has none of its own
  std::string url;
  std::string token_file;
  std::string ca;

  bool operator==(const Receiver&) const = default;
};

struct Config {
  // [api]
  std::string listen = "127.0.0.1:8776";
  Auth auth = Auth::noauth;
  std::string htpasswd_file;  ///< of http_basic: "user:$2y$…" lines, as htpasswd -B writes them
  std::string tls_certificate, tls_key, tls_client_ca;
  CapabilityCheck capability_check = CapabilityCheck::api;
  std::uint32_t most_connections = 1000;
  std::uint32_t page_limit = 1000;  ///< Cinder's osapi_max_limit
  Duration request_time = std::chrono::seconds(30);
  // [database]
  std::string database_url = "sqlite:////var/lib/volgrow-control/control.sqlite";
  // [backend_helper], [[backend]]
  backend::Settings backends;
  Duration backend_time = std::chrono::minutes(10);
  // [nova]
  std::string nova_endpoint;
  std::string nova_token_file;
  std::string nova_ca;
  // [events]
  Duration event_time = std::chrono::seconds(10);  ///< for one answer of a receiver
  Duration first_retry = std::chrono::seconds(1);
  Duration slowest_retry = std::chrono::minutes(5);
  std::uint32_t most_attempts = 12;
  Duration confirm_timeout = std::chrono::minutes(2);
  std::uint32_t most_renotifies = 5;
  // [[receiver]]
  std::vector<Receiver> receivers;
  // [reports]
  /// Who may report, and for which host: "host:token" lines, one file, mode 0600.
  std::string report_tokens_file;
  // [quota]
  std::int64_t quota_volumes = 10;
  std::int64_t quota_gigabytes = 1000;
  std::int64_t quota_per_volume_gigabytes = -1;
  // [policy], re-read live
  std::map<std::string, PolicyRule, std::less<>> policy;
  // [notifications]
  std::string notification_url;  ///< "": to the log
  // [log]
  std::string log_level = "info";
  std::string availability_zone = "nova";
  std::string host;  ///< "" is gethostname(3)

  bool operator==(const Config&) const = default;
};

/// Errors: InvalidArgs "control.toml:12: unknown key 'api.lisen'; did you mean 'listen'?".
Result<Config> read_config(const std::filesystem::path& path);
Result<Config> parse_config(std::string_view toml, std::string_view source_name);

}  // namespace volgrow::control
