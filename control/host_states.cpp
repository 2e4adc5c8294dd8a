// SPDX-License-Identifier: Apache-2.0
// pending → notified → confirmed | degraded | failed | unconfirmed.
#include "control/host_states.h"

#include <fmt/format.h>

#include "core/units.h"

namespace volgrow::control {
namespace {

bool has_reported(HostState state) {
  switch (state) {
    case HostState::confirmed:
    case HostState::degraded:
      return true;
    case HostState::none:
    case HostState::pending:
    case HostState::notified:
    case HostState::failed:
    case HostState::unconfirmed:
      return false;
  }
  return false;
}

/// The first layer that was left behind, or what the host says of it.
std::string pending_in(const JobResult& result) {
  for (const auto& layer : result.layers)
    if (!layer.reason.empty()) return fmt::format("{}: {}", layer.device, layer.reason);
  return result.error ? result.error->message : "something is left to mend on the host";
}

std::string failure_in(const JobResult& result) {
  if (result.error)
    return fmt::format("{}: {}", name_of(result.error->code), result.error->message);
  return fmt::format("the host's job ended as {}", name_of(result.state));
}

HostView moved(const HostView& before, HostState state, std::string reason, WallTime now) {
  auto after = before;
  after.state = state;
  after.reason = std::move(reason);
  after.since = now;
  after.report_due.reset();
  return after;
}

/// Twice as long after every time it was told again.
Duration patience(const HostView& host, const Config& config) {
  return config.confirm_timeout * (std::int64_t{1} << std::min(host.renotified, 20U));
}

}  // namespace

HostView after_growth(WallTime now) {
  return moved({}, HostState::pending, {}, now);
}

HostView after_answer(const HostView& before, const EventAnswer& answer, bool again,
                      bool behind_nova, const Config& config, WallTime now) {
  if (has_reported(before.state)) return before;
  if (!answer.taken)
    return moved(before, again ? HostState::pending : HostState::failed, answer.reason, now);
  auto after = moved(before, HostState::notified, {}, now);
  if (!behind_nova) after.report_due = now + patience(before, config);
  return after;
}

HostView after_report(const HostView& before, const JobResult& result, Bytes volume_size,
                      WallTime now) {
  const bool has_all = result.volume && *result.volume >= volume_size;
  auto after = before;
  switch (result.state) {
    case JobState::complete:
    case JobState::unchanged:
      if (!has_all) return before;
      after = moved(before, HostState::confirmed, {}, now);
      break;
    case JobState::degraded:
      after =
          moved(before, has_all ? HostState::degraded : HostState::failed, pending_in(result), now);
      break;
    case JobState::refused:
    case JobState::failed:
    case JobState::timed_out:
    case JobState::cancelled:
      after = moved(before, HostState::failed, failure_in(result), now);
      break;
    case JobState::running:
      return before;
  }
  if (result.volume) after.bytes = result.volume;
  return after;
}

HostView after_silence(const HostView& before, const Config& config, WallTime now) {
  if (before.renotified < config.most_renotifies) {
    auto after = moved(before, HostState::pending, "no report came; told again", now);
    ++after.renotified;
    return after;
  }
  return moved(before, HostState::unconfirmed,
               fmt::format("told {} times and no report within {}", before.renotified + 1,
                           human_duration(patience(before, config))),
               now);
}

}  // namespace volgrow::control
