// SPDX-License-Identifier: Apache-2.0
// --direct: the daemon's own machine (stack/job.h) run in this process, with threads where the
// daemon has workers, under the same lock. It registers nothing, remembers nothing and reports to
// nobody.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "cli/order.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "cli/step_threads.h"
#include "core/clock.h"
#include "stack/job.h"

namespace volgrow::cli {

/// What one job in this process needs.
struct DirectRun {
  const Clock& clock;
  StepThreads& threads;
  const Cancellation& cancellation;
  std::filesystem::path lock_directory;  ///< made when missing
  std::function<void(std::string_view phase)> on_phase;
};

/// From the first batch to the verdict. The stack's lock is held from before anything is written
/// until the end; when somebody else has it, the job ends as Busy with nothing written.
JobResult run_job(Job job, const DirectRun& run);

/// Ctrl-C stops the job at the next layer boundary: it ends as cancelled.
Outcome carry_out_directly(const Session& session, const Order& order);

/// One step on this machine, through connectors and a Host of its own.
StepResult perform_here(const Step& step, const Clock& clock);

}  // namespace volgrow::cli
