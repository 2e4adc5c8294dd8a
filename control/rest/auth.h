// SPDX-License-Identifier: Apache-2.0
// Who sends a request. Whoever must ask somebody else first answers later; nothing here decides
// what a caller may do.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/caller.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "http/message.h"

namespace volgrow::control::rest {

/// A request whose sender is not known yet. It needs to live no longer than the call it is given
/// to.
struct Unidentified {
  const http::Request& request;
  std::string url;                     ///< where it went, with scheme and host
  std::optional<std::string> project;  ///< that the URL has
};

class Authentication {
 public:
  /// The caller, without a request id; or the answer to give instead.
  using Verdict = std::expected<Caller, http::Response>;
  using Then = std::move_only_function<void(Verdict)>;

  virtual ~Authentication() = default;
  /// `then` runs once, on the loop: inside this call or later; not at all when this is destroyed
  /// first.
  virtual void identify(const Unidentified& asking, Then then) = 0;
};

/// Cinder's noauth: a token is "user:project", and everybody is an administrator. Without one, 204
/// with the token that would have been right.
std::unique_ptr<Authentication> noauth();

/// HTTP Basic (RFC 7617) against a file of "user:$2y$…" lines, as oslo.middleware has it; the file
/// is read again when it changes. It knows neither projects nor roles: who is in it is an
/// administrator of the project that X-Project-Id says, or else the URL. Errors: InvalidArgs for a
/// file that cannot be read or has another kind of password; Internal with errno.
Result<std::unique_ptr<Authentication>> http_basic(EventLoop& loop, std::filesystem::path file);

}  // namespace volgrow::control::rest
