// SPDX-License-Identifier: Apache-2.0
// Cinder's exceptions (cinder/exception.py) as faults.
#include "control/fault.h"

#include <fmt/format.h>

namespace volgrow::control {
namespace {

std::unexpected<Fault> fault(int status, std::string message) {
  return std::unexpected(Fault{status, std::move(message), std::nullopt});
}

}  // namespace

std::unexpected<Fault> bad_request(std::string message) {
  return fault(400, std::move(message));
}
std::unexpected<Fault> invalid_input(std::string_view reason) {
  return fault(400, fmt::format("Invalid input received: {}", reason));
}
std::unexpected<Fault> invalid_volume(std::string_view reason) {
  return fault(400, fmt::format("Invalid volume: {}", reason));
}
std::unexpected<Fault> forbidden(std::string_view action) {
  return fault(403, fmt::format("Policy doesn't allow {} to be performed.", action));
}
std::unexpected<Fault> not_found(std::string message) {
  return fault(404, std::move(message));
}
std::unexpected<Fault> conflict(std::string message) {
  return fault(409, std::move(message));
}
std::unexpected<Fault> over_quota(std::string message) {
  return std::unexpected(Fault{413, std::move(message), 0});
}
std::unexpected<Fault> server_fault() {
  return fault(
      500, "The server has either erred or is incapable of performing the requested operation.");
}

std::unexpected<Fault> server_fault(const Error& error, Log& log) {
  log.error(error.message);
  return server_fault();
}

}  // namespace volgrow::control
