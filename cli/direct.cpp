// SPDX-License-Identifier: Apache-2.0
// The loop around advance(): lock before the first write, pause, perform, feed back.
#include "cli/direct.h"

#include <fmt/format.h>

#include <optional>
#include <system_error>
#include <utility>

#include "cli/interrupt.h"
#include "connectors/linux_host.h"
#include "core/fd.h"
#include "core/files.h"
#include "stack/lock.h"

namespace volgrow::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto directory_mode = fs::perms{0755};

Result<void> make_directory(const fs::path& directory) {
  std::error_code failed;
  if (fs::create_directories(directory, failed)) fs::permissions(directory, directory_mode, failed);
  if (failed) return system_failure(failed.value(), "create " + directory.string());
  return {};
}

Result<Fd> lock_stack(const fs::path& directory, const Layer& top) {
  if (auto made = make_directory(directory); !made) return std::unexpected(made.error());
  const auto path = directory / lock_name(top);
  auto lock = lock_file(path);
  if (!lock && lock.error().code == ErrorCode::busy)
    return failure(ErrorCode::busy,
                   fmt::format("another job holds {}: nothing was written; wait until it has ended "
                               "('volgrow jobs' shows volgrowd's), then try again",
                               path.string()),
                   top.device);
  return lock;
}

/// Takes the lock when `job` needs it and has none. Errors: Busy.
Result<void> lock_if_needed(const Job& job, const DirectRun& run, std::optional<Fd>& lock) {
  if (!job.writes || lock || !job.stack) return {};
  auto taken = lock_stack(run.lock_directory, job.stack->top());
  if (!taken) return std::unexpected(taken.error());
  lock = std::move(*taken);
  return {};
}

}  // namespace

JobResult run_job(Job job, const DirectRun& run) {
  std::optional<Fd> lock;
  auto next = advance(job, {}, run.clock.now());
  while (const auto* batch = std::get_if<Batch>(&next)) {
    if (auto locked = lock_if_needed(job, run, lock); !locked)
      return abandon(job, locked.error(), run.clock.now());
    run.on_phase(name_of(job.phase));
    run.cancellation.pause(batch->pause);
    const auto results = run.threads.perform(batch->steps);
    job.cancel_requested = run.cancellation.requested();
    next = advance(job, results, run.clock.now());
  }
  return std::get<JobResult>(std::move(next));
}

Outcome carry_out_directly(const Session& session, const Order& order) {
  Cancellation cancellation;
  const InterruptWatch interrupts([&cancellation] { cancellation.request(); });
  StepThreads threads(session.around.perform);
  ProgressLine progress(session.err(), session.shows_progress());
  const auto& clock = session.around.clock;
  const auto show_phase = [&](std::string_view phase) {
    progress.show(fmt::format("{}: {} …", name_of(order.operation), phase));
  };
  const auto started_at = clock.wall();
  auto result = run_job(
      new_job(to_request(order), JobLimits{}, order.options.deadline.value_or(usual_deadline),
              clock.now()),
      {clock, threads, cancellation, session.around.root_directory / "run/volgrow", show_phase});
  result.started_at = started_at;  // the pure machine knows no calendar
  progress.clear();
  return to_outcome(std::move(result));
}

StepResult perform_here(const Step& step, const Clock& clock) {
  const auto host = open_linux_host(clock);
  if (!host) return {step.id, std::unexpected(host.error()), {}};
  return perform(step, all_connectors({}), **host);
}

}  // namespace volgrow::cli
