// SPDX-License-Identifier: Apache-2.0
// A request that is refused, as Cinder refuses it: a status and a sentence. What is wrong with the
// machine itself is an Error, and becomes a 500 here.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "service/log.h"

namespace volgrow::control {

struct Fault {
  int status = 500;
  std::string message;
  std::optional<int> retry_after;  ///< seconds; 413 always has one

  bool operator==(const Fault&) const = default;
};

template <class T>
using Outcome = std::expected<T, Fault>;

/// Cinder's exceptions, each with its own beginning.
std::unexpected<Fault> bad_request(std::string message);
std::unexpected<Fault> invalid_input(std::string_view reason);   ///< "Invalid input received: …"
std::unexpected<Fault> invalid_volume(std::string_view reason);  ///< "Invalid volume: …"
std::unexpected<Fault> forbidden(
    std::string_view action);  ///< "Policy doesn't allow … to be performed."
std::unexpected<Fault> not_found(std::string message);
std::unexpected<Fault> conflict(std::string message);
std::unexpected<Fault> over_quota(std::string message);
/// The sentence goes to the log; clients get Cinder's.
std::unexpected<Fault> server_fault();
std::unexpected<Fault> server_fault(const Error& error, Log& log);

}  // namespace volgrow::control
