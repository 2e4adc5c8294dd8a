// SPDX-License-Identifier: Apache-2.0
// The child reports its status through a pipe; end of file without one means that it was killed.
#include "cli/apart.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <optional>
#include <utility>

#include "cli/interrupt.h"
#include "core/fd.h"

namespace volgrow::cli {
namespace {

constexpr int failed_status = 1;
constexpr int signal_status = 128;

[[noreturn]] void be_the_child(const Fd& report, const std::function<int()>& work) {
  // Without its parent nobody sees the result: stop at the next layer boundary.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int status = work();
  std::cout.flush();
  std::cerr.flush();
  const auto written = ::write(report.get(), &status, sizeof status);
  // Readers of our output wait for end of file, and a thread that is stuck would keep these open.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::close(stream);
  ::_exit(written == sizeof status ? status : failed_status);
}

std::optional<int> read_status(const Fd& report) {
  int status = 0;
  ssize_t got = 0;
  do {
    got = ::read(report.get(), &status, sizeof status);
  } while (got < 0 && errno == EINTR);
  return got == sizeof status ? std::optional(status) : std::nullopt;
}

/// The first time the child is asked to stop at the next layer boundary; whoever asks twice wants
/// out, whatever the kernel still does for the child.
void pass_on(pid_t child, bool& asked) {
  if (std::exchange(asked, true)) ::_exit(signal_status + SIGINT);
  ::kill(child, SIGTERM);
}

int status_of_dead(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return failed_status;
  return WIFSIGNALED(status) ? signal_status + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

int run_apart(const std::function<int()>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return work();
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  std::cout.flush();
  InterruptsBlocked until_watched;  // one that comes before the watch below is there waits for it
  const auto child = ::fork();
  if (child <= 0) until_watched.lift();
  if (child < 0) return work();
  if (child == 0) be_the_child(writer, work);

  writer = Fd();
  const InterruptWatch interrupts([child, asked = false]() mutable { pass_on(child, asked); });
  const auto status = read_status(reader);
  return status ? *status : status_of_dead(child);
}

}  // namespace volgrow::cli
