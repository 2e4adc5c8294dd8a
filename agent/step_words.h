// SPDX-License-Identifier: Apache-2.0
// What the operator reads when a step got no answer: every sentence of the worker pool, in one
// place.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/error.h"
#include "stack/step.h"

namespace volgrow::agent {

/// How the pool stands while a step waits in vain.
struct Crowd {
  std::size_t workers = 0;
  std::size_t stuck = 0;
};

/// Its worker did not come back within `waited` since the step was given to the pool.
Error hung(const Step& step, pid_t worker, Duration waited);
/// Its deadline passed while `before` others were to command multipathd first.
Error kept_waiting(const Step& step, std::size_t before, Duration waited);
/// Its deadline passed while another volume's rescan of `controller` had not come back.
Error rescan_under_way(const Step& step, std::string_view controller, Duration waited);
/// No worker was free within `waited`: PathHung when some are stuck, otherwise TimedOut.
Error never_begun(const Step& step, Crowd crowd, Duration waited);
/// Its worker ended with `status`, as wait(2) has it.
Error worker_died(const Step& step, pid_t worker, int status);
/// Its worker answered with something else.
Error worker_babbled(const Step& step, pid_t worker, std::size_t bytes);
/// No worker could be made, or it could not be told: `why` is the system's reason.
Error not_begun(const Step& step, const Error& why);

}  // namespace volgrow::agent
