// SPDX-License-Identifier: Apache-2.0
// Exit statuses come from core's table; only plan and explain have a rule of their own.
#include "cli/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli/tree.h"
#include "core/units.h"

namespace volgrow::cli {
namespace {

constexpr int wrong_status = 3;

bool only_asks(Operation operation) {
  return operation == Operation::plan || operation == Operation::explain;
}

/// Whether the error is about the question, not about the volume.
bool spoils_the_question(ErrorCode code) {
  constexpr std::array codes{
      ErrorCode::no_such_volume,      ErrorCode::no_such_device, ErrorCode::ambiguous_volume,
      ErrorCode::bad_connection_info, ErrorCode::not_authorized, ErrorCode::invalid_args,
      ErrorCode::unreachable,         ErrorCode::internal,       ErrorCode::limits_exceeded};
  return std::ranges::find(codes, code) != codes.end();
}

int status_of_answer(const JobResult& result) {
  if (result.error && spoils_the_question(result.error->code))
    return volgrow::exit_status_of(result.error->code);
  return result.error || result.diagnosis ? wrong_status : 0;
}

/// A volume that was not found has no tree, and its error names it better than a headline would.
bool worth_drawing(const JobResult& result) {
  return result.job != 0 || !result.layers.empty() || !result.error;
}

/// A lagging array cannot be told from "nothing to do": say what was compared with what.
void print_note(const Session& session, const JobResult& result) {
  const bool open_question = result.operation == Operation::extend && !result.expected &&
                             result.state == JobState::unchanged && result.volume;
  if (!open_question) return;
  session.out() << fmt::format("no expected size given; the target says {}\n",
                               exact_size(*result.volume));
}

std::string on_one_line(std::string json) {
  std::ranges::replace(json, '\n',
                       ' ');  // outside strings this is white space, inside it cannot be
  return json;
}

}  // namespace

Result<Outcome> parse_outcome(std::string json) {
  auto result = parse_job_result(json);
  if (!result)
    return failure(
        ErrorCode::internal,
        fmt::format("the daemon's answer is no result ({}); do volgrow and volgrowd have the "
                    "same version? 'volgrow doctor' says",
                    result.error().message));
  return Outcome{*std::move(result), on_one_line(std::move(json))};
}

Outcome to_outcome(JobResult result) {
  auto json = to_json(result);
  return {std::move(result), std::move(json)};
}

int show(const Session& session, const Outcome& outcome, const std::string& about) {
  const auto& result = outcome.result;
  if (session.common.json) {
    session.out() << outcome.json << '\n';
  } else if (!session.common.quiet && worth_drawing(result)) {
    print_tree(session.out(), result, {session.colored(), session.common.verbose});
    print_note(session, result);
  }
  session.out().flush();
  if (result.error)
    print_error(session.err(), about.empty() ? *result.error : Error(*result.error).during(about));
  return exit_status_of(result);
}

int exit_status_of(const JobResult& result) {
  if (only_asks(result.operation)) return status_of_answer(result);
  const auto code = result.error ? std::optional(result.error->code) : std::nullopt;
  return volgrow::exit_status_of(result.state, code);
}

}  // namespace volgrow::cli
