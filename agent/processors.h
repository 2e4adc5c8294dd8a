// SPDX-License-Identifier: Apache-2.0
// Whether more processes would get more done: those that compute have the processors already, those
// that sleep in the kernel hold none.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>

namespace volgrow::agent {

struct Processors {
  std::size_t count = 1;                ///< that this process may use
  std::function<bool(pid_t)> computes;  ///< whether a process runs or waits for a processor
};

/// This machine's, by sched_getaffinity(2) and /proc/PID/stat (proc(5)). A process that is gone
/// does not compute.
Processors real_processors();

}  // namespace volgrow::agent
