// SPDX-License-Identifier: Apache-2.0
// Refusals in Nova's words, as its clients know them.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "http/server.h"

namespace volgrow::relay {

struct NovaFault {
  int status = 500;
  std::string message;

  bool operator==(const NovaFault&) const = default;
};

/// {"badRequest": {"code": 400, "message": "…"}}.
http::Response answer_of(const NovaFault& fault);
/// A request that the HTTP server refused by itself: for http::ServerOptions::on_refused.
http::Response refusal(const http::Refusal& refused);
/// What Nova's router says of an address or a method that it does not know; webob's words.
http::Response no_such_resource();

}  // namespace volgrow::relay
