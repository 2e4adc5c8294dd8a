// SPDX-License-Identifier: Apache-2.0
// The one table of errors and the one of job states.
#include "core/error.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace volgrow {
namespace {

struct ErrorRow {
  ErrorCode code;
  std::string_view name;
  JobState ends_as;
  int exit_status;
};

constexpr std::array error_rows{
    ErrorRow{ErrorCode::wwid_mismatch, "WwidMismatch", JobState::refused, 6},
    ErrorRow{ErrorCode::paths_disagree, "PathsDisagree", JobState::refused, 6},
    ErrorRow{ErrorCode::would_shrink, "WouldShrink", JobState::refused, 6},
    ErrorRow{ErrorCode::multipath_refused, "MultipathRefused", JobState::refused, 6},
    ErrorRow{ErrorCode::no_usable_path, "NoUsablePath", JobState::refused, 6},
    ErrorRow{ErrorCode::ambiguous_volume, "AmbiguousVolume", JobState::refused, 2},
    ErrorRow{ErrorCode::bad_connection_info, "BadConnectionInfo", JobState::refused, 2},
    ErrorRow{ErrorCode::not_supported, "NotSupported", JobState::refused, 6},
    ErrorRow{ErrorCode::size_mismatch, "SizeMismatch", JobState::failed, 1},
    ErrorRow{ErrorCode::multipath_unavailable, "MultipathUnavailable", JobState::failed, 1},
    ErrorRow{ErrorCode::busy, "Busy", JobState::failed, 1},
    ErrorRow{ErrorCode::internal, "Internal", JobState::failed, 1},
    ErrorRow{ErrorCode::timed_out, "TimedOut", JobState::timed_out, 5},
    ErrorRow{ErrorCode::path_hung, "PathHung", JobState::timed_out, 5},
    ErrorRow{ErrorCode::no_such_volume, "NoSuchVolume", JobState::failed, 4},
    ErrorRow{ErrorCode::no_such_device, "NoSuchDevice", JobState::failed, 4},
    ErrorRow{ErrorCode::key_required, "KeyRequired", JobState::degraded, 3},
    ErrorRow{ErrorCode::cancelled, "Cancelled", JobState::cancelled, 8},
    ErrorRow{ErrorCode::not_authorized, "NotAuthorized", JobState::failed, 7},
    ErrorRow{ErrorCode::invalid_args, "InvalidArgs", JobState::failed, 2},
    ErrorRow{ErrorCode::limits_exceeded, "LimitsExceeded", JobState::failed, 1},
    ErrorRow{ErrorCode::unreachable, "Unreachable", JobState::failed, 7},
    // Of back ends; volgrowd has none.
    ErrorRow{ErrorCode::no_space, "NoSpace", JobState::failed, 1},
    ErrorRow{ErrorCode::not_initialised, "NotInitialised", JobState::failed, 1},
};

struct StateRow {
  JobState state;
  std::string_view name;
  int exit_status;
};

constexpr std::array state_rows{
    StateRow{JobState::running, "running", 0},     StateRow{JobState::complete, "complete", 0},
    StateRow{JobState::unchanged, "unchanged", 0}, StateRow{JobState::degraded, "degraded", 3},
    StateRow{JobState::refused, "refused", 6},     StateRow{JobState::failed, "failed", 1},
    StateRow{JobState::timed_out, "timed-out", 5}, StateRow{JobState::cancelled, "cancelled", 8},
};

const ErrorRow& row_of(ErrorCode code) {
  return error_rows.at(static_cast<std::size_t>(code));
}

const StateRow& row_of(JobState state) {
  return state_rows.at(static_cast<std::size_t>(state));
}

constexpr std::string_view our_prefix = "org.volgrow.Agent1.Error.";
constexpr std::string_view freedesktop_prefix = "org.freedesktop.DBus.Error.";

bool is_freedesktop(ErrorCode code) {
  return code == ErrorCode::invalid_args || code == ErrorCode::limits_exceeded;
}

/// Errors of the bus itself that mean "the daemon could not be asked".
bool means_unreachable(std::string_view name) {
  constexpr std::array names{"ServiceUnknown", "NameHasNoOwner", "NoReply",         "Disconnected",
                             "NoServer",       "FileNotFound",   "Timeout",         "TimedOut",
                             "UnknownObject",  "UnknownMethod",  "UnknownInterface"};
  for (const auto* known : names)
    if (name == known) return true;
  return false;
}

}  // namespace

Error Error::during(std::string_view action) && {
  message = fmt::format("{}: {}", action, message);
  return std::move(*this);
}

std::unexpected<Error> failure(ErrorCode code, std::string message, std::string device) {
  return std::unexpected(Error{code, std::move(message), std::move(device), 0});
}

std::unexpected<Error> system_failure(int error_number, std::string_view action,
                                      std::string device) {
  return std::unexpected(Error{ErrorCode::internal,
                               fmt::format("{}: {}", action, std::strerror(error_number)),
                               std::move(device), error_number});
}

std::string_view name_of(ErrorCode code) {
  return row_of(code).name;
}

std::optional<ErrorCode> error_code_named(std::string_view name) {
  for (const auto& row : error_rows)
    if (row.name == name) return row.code;
  return std::nullopt;
}

std::string dbus_name_of(ErrorCode code) {
  return fmt::format("{}{}", is_freedesktop(code) ? freedesktop_prefix : our_prefix, name_of(code));
}

ErrorCode error_code_of_dbus(std::string_view dbus_name) {
  if (dbus_name.starts_with(our_prefix))
    return error_code_named(dbus_name.substr(our_prefix.size())).value_or(ErrorCode::internal);
  if (!dbus_name.starts_with(freedesktop_prefix)) return ErrorCode::internal;
  const auto name = dbus_name.substr(freedesktop_prefix.size());
  if (name == "AccessDenied") return ErrorCode::not_authorized;
  if (means_unreachable(name)) return ErrorCode::unreachable;
  return error_code_named(name).value_or(ErrorCode::internal);
}

JobState end_state_of(ErrorCode code) {
  return row_of(code).ends_as;
}

std::string_view name_of(JobState state) {
  return row_of(state).name;
}

std::optional<JobState> job_state_named(std::string_view name) {
  for (const auto& row : state_rows)
    if (row.name == name) return row.state;
  return std::nullopt;
}

int exit_status_of(ErrorCode code) {
  return row_of(code).exit_status;
}

int exit_status_of(JobState state, std::optional<ErrorCode> error) {
  const bool error_decides = error && (state == JobState::failed || state == JobState::refused);
  return error_decides ? exit_status_of(*error) : row_of(state).exit_status;
}

}  // namespace volgrow
