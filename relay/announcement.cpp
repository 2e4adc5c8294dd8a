// SPDX-License-Identifier: Apache-2.0
// Two walks over the same volumes: one asks, one tells.
#include "relay/announcement.h"

#include <fmt/format.h>

#include "core/text.h"

namespace volgrow::relay {
namespace {

/// What is about this moment, not about this volume.
bool may_pass_later(ErrorCode code) {
  return code == ErrorCode::unreachable || code == ErrorCode::timed_out ||
         code == ErrorCode::busy || code == ErrorCode::limits_exceeded;
}

int code_of(ErrorCode code) {
  if (code == ErrorCode::no_such_volume) return 404;
  const bool asked_wrongly =
      code == ErrorCode::invalid_args || end_state_of(code) == JobState::refused;
  return asked_wrongly ? 422 : 500;
}

}  // namespace

std::optional<EventVerdict> verdict_of(const Error& error) {
  if (may_pass_later(error.code)) return std::nullopt;
  const int code = code_of(error.code);
  // Nova says no more than the number of what it does not know.
  return EventVerdict{code, code == 404 ? std::string() : error.message};
}

void Announcement::ask_for_size() {
  if (sizes_.size() == order_.volumes.size()) return tell_agent();
  asking_ = needs_.control.volume_size(order_.volumes[sizes_.size()], order_.global_request_id,
                                       order_.deadline,
                                       [this](Result<Bytes> size) { got_size(std::move(size)); });
}

void Announcement::got_size(Result<Bytes> size) {
  const auto& volume = order_.volumes[sizes_.size()];
  if (size) {
    log(LogLevel::info, volume,
        fmt::format("volume {} has {} bytes in control", volume, size->count()));
    sizes_.push_back(*size);
    return ask_for_size();
  }
  auto error = std::move(size.error()).during(fmt::format("learn the size of volume {}", volume));
  log(LogLevel::warning, volume, error.message);
  end(std::unexpected(std::move(error)));
}

void Announcement::tell_agent() {
  const auto next = verdicts_.size();
  if (next == order_.volumes.size()) return end(std::move(verdicts_));
  needs_.agent.volume_changed(order_.volumes[next], sizes_[next], order_.deadline,
                              [this](const Result<JobId>& job) { agent_told(job); });
}

void Announcement::agent_told(const Result<JobId>& job) {
  const auto& volume = order_.volumes[verdicts_.size()];
  if (job) {
    log(LogLevel::info, volume, fmt::format("volgrowd has job {} for volume {}", *job, volume),
        *job);
    verdicts_.emplace_back();
    return tell_agent();
  }
  log(LogLevel::warning, volume,
      fmt::format("volgrowd has no job for volume {}: {}", volume, job.error().message));
  auto verdict = verdict_of(job.error());
  if (!verdict) return end(std::unexpected(job.error()));
  verdicts_.push_back(std::move(*verdict));
  tell_agent();
}

void Announcement::log(LogLevel level, const std::string& volume, std::string_view sentence,
                       std::optional<JobId> job) {
  needs_.log.write(level, sentence,
                   {{field::volume, volume},
                    {field::job, job ? std::to_string(*job) : std::string()},
                    {field::request, order_.request_id},
                    {field::global_request, order_.global_request_id}});
}

void Announcement::end(Result<std::vector<EventVerdict>> result) {
  auto then = std::move(then_);
  then(std::move(result));
}

}  // namespace volgrow::relay
