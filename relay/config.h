// SPDX-License-Identifier: Apache-2.0
// relay.toml as values, checked as a whole before anything starts.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"

namespace volgrow::relay {

/// How control is told who asks.
enum class ControlAuth : std::uint8_t { noauth, http_basic, token };
std::optional<ControlAuth> control_auth_named(std::string_view name);

// Every member is initialised, so that a value may be written with the ones that matter.
struct Config {
  // [listen]
  std::string address = "127.0.0.1:8790";
  std::string certificate{}, key{}, client_ca{};  ///< files in PEM form; "": none
  std::string token_file{};                       ///< "": who can connect may announce
  std::uint32_t most_connections = 256;
  // [events]
  std::uint32_t most_at_once = 64;  ///< requests under way; each has one call at a time
  Duration event_time = std::chrono::seconds(8);  ///< for a whole answer; control's patience is 10
  // [control]
  std::string url = "http://127.0.0.1:8776";
  std::string project{};  ///< "": URLs without one
  ControlAuth auth = ControlAuth::noauth;
  std::string user = "admin";
  std::string password_file{};
  std::string control_token_file{};
  std::string ca{}, control_certificate{}, control_key{};
  // [reports]
  std::string report_token_file{};  ///< "": what [control] says
  std::uint32_t batch = 50;
  Bytes batch_size = Bytes(std::uint64_t{96} << 10);  ///< below what control reads of one request
  Duration report_time = std::chrono::seconds(10);    ///< for control's answer, and for the agent's
  Duration first_retry = std::chrono::seconds(1);
  Duration slowest_retry = std::chrono::minutes(5);
  Duration look = std::chrono::minutes(1);
  // [agent]
  Duration reconnect = std::chrono::seconds(1);
  Duration slowest_reconnect = std::chrono::minutes(1);
  // [log]
  std::string log_level = "info";

  bool operator==(const Config&) const = default;
};

/// Errors: InvalidArgs "relay.toml:12: unknown key 'listen.adress'; did you mean 'address'?".
Result<Config> read_config(const std::filesystem::path& path);
Result<Config> parse_config(std::string_view toml, std::string_view source_name);

/// Whether only programs of this host can connect to it.
bool is_loopback(std::string_view listen_address);

/// What is allowed, and yet worth a sentence in the log: secrets that others on the way could read.
std::vector<std::string> concerns(const Config& config);

}  // namespace volgrow::relay
