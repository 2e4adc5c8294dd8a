// SPDX-License-Identifier: Apache-2.0
// The rules of identity, agreement, shrinking and expectation.
#include "stack/judge.h"

#include <fmt/format.h>

#include "core/units.h"

namespace volgrow {
namespace {

std::string written(const std::optional<Wwid>& wwid) {
  return wwid ? to_string(*wwid) : "no identity";
}

Error error(ErrorCode code, std::string message, std::string device = {}) {
  return Error{code, std::move(message), std::move(device), 0};
}

std::optional<Error> disagreement(const std::vector<Answer>& answers) {
  const auto& first = answers.front();
  for (const auto& other : answers)
    if (other.truth.size != first.truth.size)
      return error(ErrorCode::paths_disagree,
                   fmt::format("the target says {} on {} and {} on {}; nothing was touched. Wait "
                               "until the array has finished, then run the job again",
                               exact_size(first.truth.size), first.device,
                               exact_size(other.truth.size), other.device),
                   other.device);
  return std::nullopt;
}

Error unexpected_size(Bytes size, Bytes expected) {
  return error(
      ErrorCode::size_mismatch,
      fmt::format("the target says {}, {} was expected; nothing was touched. {}", exact_size(size),
                  exact_size(expected),
                  size < expected ? "Has the volume been extended at its target?"
                                  : "Take the larger size by not asking for exactly this one"));
}

}  // namespace

std::optional<Error> shrinking(const std::vector<Answer>& answers) {
  for (const auto& answer : answers)
    if (answer.kernel && answer.truth.size < *answer.kernel)
      return error(
          ErrorCode::would_shrink,
          fmt::format("the target says {}, the kernel has {} for {}: taking it over would "
                      "shrink a volume in use. Nothing was touched; look at the target",
                      exact_size(answer.truth.size), exact_size(*answer.kernel), answer.device),
          answer.device);
  return std::nullopt;
}

std::optional<Error> wrong_identity(const Request& request, const std::vector<Answer>& answers) {
  if (!request.pinned && request.pin_required)
    return error(
        ErrorCode::wwid_mismatch,
        "no identity is known for this volume and require_identity is set; register it, or "
        "give its wwid");
  const auto& first = answers.front();
  for (const auto& answer : answers) {
    const auto& must = request.pinned ? request.pinned : first.truth.identity;
    if (answer.truth.identity == must) continue;
    return error(
        ErrorCode::wwid_mismatch,
        fmt::format("{} is {}, {} is {}: another volume answers there. Nothing was sent to "
                    "it; find out what is mapped there before anybody writes",
                    answer.device, written(answer.truth.identity),
                    request.pinned ? "the pinned volume" : first.device, written(must)),
        answer.device);
  }
  return std::nullopt;
}

Judgement judge(const Request& request, const std::vector<Answer>& answers) {
  if (auto wrong = wrong_identity(request, answers)) return *wrong;
  if (auto disagree = disagreement(answers)) return AskAgain{*disagree};
  if (auto shrink = shrinking(answers)) return *shrink;
  const auto size = answers.front().truth.size;
  if (!request.expected) return Agreed{size};
  if (size < *request.expected) return AskAgain{unexpected_size(size, *request.expected)};
  if (request.mode == Mode::exact && size > *request.expected)
    return unexpected_size(size, *request.expected);
  return Agreed{size};
}

}  // namespace volgrow
