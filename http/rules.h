// SPDX-License-Identifier: Apache-2.0
// What a request must keep to before anybody acts on it. libmicrohttpd is lenient where two readers
// of the same bytes could see two different requests; here they are refused (RFC 9112 §3.2, §6.3).
#pragma once

#include <optional>
#include <string_view>

#include "http/message.h"
#include "http/server.h"

namespace volgrow::http {

/// Why this head is refused. `version` is "HTTP/1.1" or the like, `head_size` the request line and
/// the fields in bytes.
std::optional<Refusal> fault_of_head(const Request& request, std::string_view version,
                                     Bytes head_size, const ServerLimits& limits);
/// The same for the target of the request line, as it came.
std::optional<Refusal> fault_of_target(std::string_view target, const ServerLimits& limits);

/// What Content-Length says; absent when there is none, or it is no number.
std::optional<Bytes> declared_body(const Fields& fields);

/// The refusal of a body that is too long.
Refusal body_too_long();

}  // namespace volgrow::http
