// SPDX-License-Identifier: Apache-2.0
// Events only feed the progress line; what became of a job is always what Job.Wait answers.
#include "cli/daemon.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "core/units.h"

namespace volgrow::cli {
namespace {

constexpr int interrupted_status = 130;

using Event = bus::Client::Event;

Result<std::string> question(bus::Client& client, const Order& order) {
  const auto subject = to_text(order.subject);
  if (order.operation == Operation::explain) return client.explain(subject, order.options);
  return client.plan(subject, order.expected.value_or(Bytes()), order.options);
}

/// Whether to go on following after `event`.
bool follow_on(const Event& event, JobId job, ProgressLine& progress) {
  if (event.kind == Event::Kind::daemon_gone) return false;
  if (event.job != job) return true;
  if (event.kind == Event::Kind::job_progress)
    progress.show(fmt::format("job {}: {} …", job, event.text));
  return event.kind != Event::Kind::job_removed;
}

/// False when the daemon went away meanwhile.
bool show_progress(bus::Client& client, JobId job, Deadline until, ProgressLine& progress) {
  bool gone = false;
  progress.show(fmt::format("job {}: running …", job));
  const auto followed = client.follow(
      [&](const Event& event) {
        gone = gone || event.kind == Event::Kind::daemon_gone;
        return follow_on(event, job, progress);
      },
      until);
  return followed && !gone;
}

std::unexpected<Error> daemon_gone(JobId job) {
  return failure(
      ErrorCode::unreachable,
      fmt::format("volgrowd went away; job {0} is in the journal and goes on when volgrowd is "
                  "back: look with 'volgrow job {0}'",
                  job));
}

std::unexpected<Error> still_running(JobId job, Duration waited) {
  return failure(
      ErrorCode::timed_out,
      fmt::format("job {0} is still running after {1}; it goes on: look with 'volgrow job {0}'",
                  job, human_duration(waited)));
}

}  // namespace

Result<Outcome> ask(const Session& session, const Order& order) {
  const auto client = session.connect();
  if (!client) return std::unexpected(client.error());
  auto json = question(**client, order);
  if (!json) return std::unexpected(json.error());
  return parse_outcome(*std::move(json));
}

Result<void> prepare(const Session& session, bus::Client& client) {
  return session.shows_progress() ? client.subscribe() : Result<void>();
}

Result<Outcome> wait_for_end(const Session& session, bus::Client& client, JobId job,
                             Duration limit) {
  const auto until = within(limit + grace, session.around.clock.now());
  ProgressLine progress(session.err(), session.shows_progress());
  if (progress.shown() && !show_progress(client, job, until, progress)) return daemon_gone(job);

  auto end = client.wait(job, until.remaining(session.around.clock.now()));
  progress.clear();
  if (!end && end.error().code == ErrorCode::unreachable) return daemon_gone(job);
  if (!end)
    return std::unexpected(std::move(end.error()).during(fmt::format("wait for job {}", job)));
  if (end->state == name_of(JobState::running)) return still_running(job, limit + grace);
  return parse_outcome(std::move(end->result_json));
}

std::string Farewell::text(JobId job) {
  if (job == 0)
    return "\nvolgrow: what the daemon has accepted goes on; look with 'volgrow jobs'\n";
  return fmt::format("\nvolgrow: job {0} goes on; look with 'volgrow job {0}'\n", job);
}

Farewell::Farewell(std::ostream& err)
    : watch_([this, &err] {
        err << text(job_) << std::flush;
        ::_exit(interrupted_status);
      }) {}

}  // namespace volgrow::cli
