// SPDX-License-Identifier: Apache-2.0
// Failure as a value with a sentence. One table ties a code to its name on D-Bus, the state a job
// ends in because of it, and the CLI's exit status (docs: contracts §1).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace volgrow {

enum class ErrorCode : std::uint8_t {
  wwid_mismatch,
  paths_disagree,
  would_shrink,
  multipath_refused,
  no_usable_path,
  ambiguous_volume,
  bad_connection_info,
  not_supported,
  size_mismatch,
  multipath_unavailable,
  busy,
  internal,
  timed_out,
  path_hung,
  no_such_volume,
  no_such_device,
  key_required,
  cancelled,
  not_authorized,
  invalid_args,
  limits_exceeded,
  unreachable,
  no_space,
  not_initialised,
};

enum class JobState : std::uint8_t {
  running,
  complete,
  unchanged,
  degraded,
  refused,
  failed,
  timed_out,
  cancelled,
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;   ///< for the operator: what was found, what was expected, what to do
  std::string device;    ///< kernel name of the device concerned, empty when there is none
  int error_number = 0;  ///< errno behind it, 0 when there is none

  /// The same failure, told from one level up: "rescan sda: Permission denied".
  Error during(std::string_view action) &&;
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

/// `message` takes the whole sentence; `device` may be empty.
std::unexpected<Error> failure(ErrorCode code, std::string message, std::string device = {});

/// Names the errno in words behind `action`: "open /dev/sda: No such device or address".
std::unexpected<Error> system_failure(int error_number, std::string_view action,
                                      std::string device = {});

/// "WwidMismatch": the last part of the D-Bus error name and `error.name` in every result.
std::string_view name_of(ErrorCode code);
std::optional<ErrorCode> error_code_named(std::string_view name);

/// "org.volgrow.Agent1.Error.WwidMismatch", or the freedesktop name for bad arguments and limits.
std::string dbus_name_of(ErrorCode code);
/// The code behind a D-Bus error name; a name that is not ours is `unreachable` or `internal`.
ErrorCode error_code_of_dbus(std::string_view dbus_name);

/// The state in which a job ends that met this error before anything was written.
JobState end_state_of(ErrorCode code);

std::string_view name_of(JobState state);
std::optional<JobState> job_state_named(std::string_view name);

/// The CLI's exit status (contracts §1, table of job states).
int exit_status_of(ErrorCode code);
int exit_status_of(JobState state, std::optional<ErrorCode> error);

}  // namespace volgrow
