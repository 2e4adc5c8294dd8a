// SPDX-License-Identifier: Apache-2.0
// Knows the few sentences of dbus/ and agent/ that are meant for programs rather than operators.
#include "cli/advice.h"

#include <fmt/format.h>

#include <string_view>

namespace volgrow::cli {
namespace {

constexpr std::string_view deadline_key = "deadline-ms: ";
constexpr std::string_view no_bus = "cannot reach the ";
constexpr std::string_view policy = "the bus policy ";

std::string_view advice_without_bus(const Session& session) {
  if (!session.common.bus_address.empty())
    return "--bus-address takes a D-Bus address such as unix:path=/run/dbus/system_bus_socket";
  return "start D-Bus (systemctl start dbus), or as root work without it: --direct";
}

}  // namespace

Error in_our_words(const Session& session, Error error) {
  const std::string_view message = error.message;
  if (error.code == ErrorCode::invalid_args && message.starts_with(deadline_key))
    error.message =
        fmt::format("--timeout: {}, in milliseconds (longest_deadline_ms in agent.toml)",
                    message.substr(deadline_key.size()));
  if (error.code == ErrorCode::not_authorized && message.starts_with(policy))
    error.message = fmt::format("the bus does not let this user call volgrowd: {}", permission_fix);
  if (error.code == ErrorCode::unreachable && message.starts_with(no_bus))
    error.message += fmt::format("; {}", advice_without_bus(session));
  return error;
}

}  // namespace volgrow::cli
