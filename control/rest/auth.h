// SPDX-License-Identifier: Apache-2.0
// Who sends a request. Whoever must ask somebody else first answers later; nothing here decides
// what a caller may do.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "control/caller.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "http/message.h"

namespace volgrow::control::rest {

class Authentication {
 public:
  /// The caller, without a request id; or the answer to give instead.
  using Verdict = std::expected<Caller, http::Response>;
  using Then = std::move_only_function<void(Verdict)>;

  virtual ~Authentication() = default;
  /// `then` runs once, on the loop: inside this call or later. `request` is the caller's and needs
  /// to live no longer than this call. `url` is where the request went, with scheme and host.
  virtual void identify(const http::Request& request, const std::string& url, Then then) = 0;
};

/// Cinder's noauth: a token is "user:project", and everybody is an administrator. Without one, 204
/// with the token that would have been right.
std::unique_ptr<Authentication> noauth();

}  // namespace volgrow::control::rest
