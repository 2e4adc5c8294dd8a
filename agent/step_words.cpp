// SPDX-License-Identifier: Apache-2.0
// What the operator reads when a step got no answer.
#include "agent/step_words.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstring>
#include <string_view>
#include <variant>

#include "agent/worker_protocol.h"
#include "core/units.h"

namespace volgrow::agent {
namespace {

/// "the probe of sda": the subject of a sentence.
struct Subject {
  std::string operator()(const ResolveStep&) { return "looking for the volume's devices"; }
  std::string operator()(const ProbeStep& s) { return "the probe of " + s.layer.device; }
  std::string operator()(const GrowStep& s) { return "growing " + s.layer.device; }
  std::string operator()(const MeasureStep& s) { return "measuring " + s.layer.device; }
  std::string operator()(const VerifyStep& s) { return "verifying " + s.layer.device; }
  std::string operator()(const EvictStep& s) {
    return fmt::format("taking {} out of {}", s.member, s.layer.device);
  }
  std::string operator()(const AdoptStep& s) {
    return fmt::format("putting {} into {}", s.member, s.layer.device);
  }
};

struct Device {
  std::string operator()(const ResolveStep&) { return {}; }
  template <class OnLayer>
  std::string operator()(const OnLayer& s) {
    return s.layer.device;
  }
};

Error about(const Step& step, ErrorCode code, std::string_view predicate) {
  const auto subject = std::visit(Subject(), step.action);
  return {code, fmt::format("{} {}", subject, predicate), std::visit(Device(), step.action), 0};
}

std::string process(pid_t worker) {
  return worker < 0 ? "its worker" : fmt::format("its worker (process {})", worker);
}

/// "was killed by signal 11 (Segmentation fault)".
std::string in_words(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::sigdescr_np(WTERMSIG(status));
    return fmt::format("was killed by signal {} ({})", WTERMSIG(status), name ? name : "unknown");
  }
  switch (static_cast<WorkerExit>(WEXITSTATUS(status))) {
    case WorkerExit::bad_request:
      return "did not understand its request";
    case WorkerExit::socket_failed:
      return "could not send its answer";
    case WorkerExit::done:
      break;
  }
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

}  // namespace

Error hung(const Step& step, pid_t worker, Duration waited) {
  return about(step, ErrorCode::path_hung,
               fmt::format("did not come back within {}: it sleeps in the kernel; {} is given up. "
                           "Check the path to the device (session, cable, port, kernel log) and "
                           "run the job again",
                           human_duration(waited), process(worker)));
}

Error kept_waiting(const Step& step, std::size_t before, Duration waited) {
  return about(step, ErrorCode::timed_out,
               fmt::format("was not begun within {}: multipathd carries out one command after the "
                           "other, and {} of other volumes were before it. Give the job more time",
                           human_duration(waited), before));
}

Error rescan_under_way(const Step& step, std::string_view controller, Duration waited) {
  return about(step, ErrorCode::timed_out,
               fmt::format("was not begun within {}: another volume's rescan of its controller {} "
                           "has not come back. Give the job more time",
                           human_duration(waited), controller));
}

Error never_begun(const Step& step, Crowd crowd, Duration waited) {
  if (crowd.stuck == 0)
    return about(
        step, ErrorCode::timed_out,
        fmt::format("was not begun within {}: none of {} workers was free. Give the job more "
                    "time, or raise [workers] most",
                    human_duration(waited), crowd.workers));
  return about(step, ErrorCode::path_hung,
               fmt::format("was not begun within {}: no worker free, of {} there are {} stuck in "
                           "the kernel. Mend the paths they wait for, or raise [workers] most",
                           human_duration(waited), crowd.workers, crowd.stuck));
}

Error worker_died(const Step& step, pid_t worker, int status) {
  return about(step, ErrorCode::internal,
               fmt::format("did not finish: {} {}", process(worker), in_words(status)));
}

Error worker_babbled(const Step& step, pid_t worker, std::size_t bytes) {
  return about(step, ErrorCode::internal,
               fmt::format("may or may not have been done: {} answered with {} bytes that are no "
                           "result of it",
                           process(worker), bytes));
}

Error not_begun(const Step& step, const Error& why) {
  auto error = about(step, ErrorCode::internal, fmt::format("was not begun: {}", why.message));
  error.error_number = why.error_number;
  return error;
}

}  // namespace volgrow::agent
