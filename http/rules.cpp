// SPDX-License-Identifier: Apache-2.0
// The rules for a request's head, one line each.
#include "http/rules.h"

#include <algorithm>
#include <charconv>

namespace volgrow::http {
namespace {

bool is_graphic(char c) {
  return c > 0x20 && c != 0x7f;
}

bool well_formed(const Field& field) {
  return is_token(field.name) && is_field_value(field.value);
}

/// How long the body is must be said once and in one way.
std::optional<Refusal> fault_of_framing(const Fields& fields) {
  const auto lengths = fields.count("Content-Length");
  const auto* const coding = fields.find("Transfer-Encoding");
  if (lengths > 1) return Refusal{400, "The request has more than one Content-Length."};
  if (!coding) return std::nullopt;
  if (lengths == 1 || fields.count("Transfer-Encoding") > 1)
    return Refusal{400, "The request says in two ways how long its body is."};
  if (!same_field_name(*coding, "chunked"))
    return Refusal{501, "The only Transfer-Encoding understood is chunked."};
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> fault_of_target(std::string_view target, const ServerLimits& limits) {
  if (target.size() > limits.target.count())
    return Refusal{414, "The address of the request is too long."};
  // Bytes above ASCII are let through, as Cinder's server does.
  if (!std::ranges::all_of(target, [](char c) { return is_graphic(c) || (c & 0x80) != 0; }))
    return Refusal{400, "The address of the request has a blank or a control character in it."};
  const auto path = split_target(target).path;
  if (!path.starts_with('/') && path != "*")
    return Refusal{400, "The address of the request does not begin with a slash."};
  return std::nullopt;
}

std::optional<Refusal> fault_of_head(const Request& request, std::string_view version,
                                     Bytes head_size, const ServerLimits& limits) {
  if (head_size > limits.head) return Refusal{431, "The header of the request is too long."};
  if (!is_token(request.method)) return Refusal{400, "The request's method is malformed."};
  if (!std::ranges::all_of(request.fields, well_formed))
    return Refusal{400, "A header field of the request is malformed."};
  if (request.fields.count("Host") > 1) return Refusal{400, "The request has more than one Host."};
  if (version != "HTTP/1.0" && !request.fields.find("Host"))
    return Refusal{400, "The request has no Host."};
  if (auto fault = fault_of_framing(request.fields)) return fault;
  const auto length = declared_body(request.fields);
  if (length && *length > limits.body) return body_too_long();
  return std::nullopt;
}

std::optional<Bytes> declared_body(const Fields& fields) {
  const auto* const text = fields.find("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const auto* const end = text->data() + text->size();
  const auto [read, error] = std::from_chars(text->data(), end, length);
  if (error != std::errc() || read != end) return std::nullopt;
  return Bytes(length);
}

Refusal body_too_long() {
  return {413, "The body of the request is too long."};
}

}  // namespace volgrow::http
