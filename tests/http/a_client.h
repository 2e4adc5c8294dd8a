// SPDX-License-Identifier: Apache-2.0
// The real client, and one request's way out of it.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <utility>

#include "http/client.h"

namespace volgrow {

/// What a Then was told; nothing yet, or nothing ever.
struct Outcome {
  std::optional<Result<http::Response>> result;
  http::Client::Pending pending;

  bool is_there() const { return result.has_value(); }
};

inline std::unique_ptr<Outcome> sent(http::Client& client, http::Outgoing outgoing,
                                     Deadline deadline) {
  auto outcome = std::make_unique<Outcome>();
  outcome->pending = client.send(
      std::move(outgoing), deadline,
      [raw = outcome.get()](Result<http::Response> result) { raw->result = std::move(result); });
  return outcome;
}

MATCHER_P2(FailsWith, code, text, "") {
  if (arg.is_there() && !*arg.result) *result_listener << arg.result->error().message;
  return arg.is_there() && !*arg.result && arg.result->error().code == code &&
         arg.result->error().message.find(text) != std::string::npos;
}

MATCHER_P(AnswersWith, response, "") {
  if (arg.is_there() && !*arg.result) *result_listener << arg.result->error().message;
  if (!arg.is_there() || !*arg.result) return false;
  auto got = **arg.result;
  http::Fields without_date;
  for (const auto& [name, value] : got.fields)
    if (name != "Date" && name != "Content-Length") without_date.add(name, value);
  got.fields = without_date;
  *result_listener << got.status << " " << got.body;
  return got == response;
}

}  // namespace volgrow
