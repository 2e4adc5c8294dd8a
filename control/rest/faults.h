// SPDX-License-Identifier: Apache-2.0
// Faults and what webob says in Cinder's place as HTTP answers: their bodies, and the fields that
// every answer has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/fault.h"
#include "control/rest/microversion.h"
#include "http/message.h"
#include "http/server.h"

namespace volgrow::control::rest {

/// {"badRequest":{"code":400,"message":"…"}}; 413 also says in how many seconds to come back.
http::Response answer_of(const Fault& fault);

/// What Cinder's routers and middleware answer before a resource has the request: a page or JSON,
/// as `accept` has it, or text to a client that did not say (nullptr). `status` is 400, 401, 404 or
/// 413.
http::Response webob_answer(int status, std::string_view explanation, const std::string* accept);

/// The same for what is not there. HEAD asks for no text, and is told of none.
http::Response nothing_there(const http::Request& request);

/// What OpenStack-API-Version says.
void add_version(http::Response& response, const std::string& version);

/// In which of its media types a resource answers.
std::string_view media_type_for(const std::string* accept);

/// A request that the HTTP server refused by itself, as Cinder refuses: for
/// http::ServerOptions::on_refused.
http::Response refusal(const http::Refusal& refused);

}  // namespace volgrow::control::rest
