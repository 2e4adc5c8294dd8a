// SPDX-License-Identifier: Apache-2.0
// Orders carried out by volgrowd: the call, the wait with its live progress line, the result.
#pragma once

#include <atomic>
#include <chrono>
#include <ostream>
#include <string>

#include "cli/interrupt.h"
#include "cli/order.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "dbus/client.h"

namespace volgrow::cli {

/// How long after a job's deadline its end may take to arrive, before the CLI stops waiting.
inline constexpr Duration grace = std::chrono::seconds(5);

/// plan and explain: one call.
Result<Outcome> ask(const Session& session, const Order& order);

/// Has events flow from now on, if they will be shown: call it before the job is started, or the
/// job may end unseen.
Result<void> prepare(const Session& session, bus::Client& client);

/// Waits for the end of `job`, at most `limit` and grace. Errors: TimedOut when it still runs,
/// Unreachable when the daemon went away; the job goes on in both cases.
Result<Outcome> wait_for_end(const Session& session, bus::Client& client, JobId job,
                             Duration limit);

/// While it lives, Ctrl-C says that the work goes on and leaves with 130: the daemon has accepted
/// it, and stopping it is a verb of its own. Make it before connecting.
class Farewell {
 public:
  static std::string text(JobId job);

  explicit Farewell(std::ostream& err);
  void know(JobId job) { job_ = job; }

 private:
  std::atomic<JobId> job_ = 0;  ///< 0: none yet, or several
  InterruptWatch watch_;
};

}  // namespace volgrow::cli
