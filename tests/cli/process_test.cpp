// SPDX-License-Identifier: Apache-2.0
// Signals as values, and the child that --direct works in.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <semaphore>

#include "cli/apart.h"
#include "cli/interrupt.h"

namespace volgrow::cli {
namespace {

TEST(AnInterrupt, IsToldToItsWatchInsteadOfEndingTheProgram) {
  std::binary_semaphore told(0);
  const InterruptWatch watch([&] { told.release(); });

  ::kill(::getpid(), SIGINT);

  told.acquire();
}

TEST(AnInterrupt, IsTheSystemsAgainAfterItsWatch) {
  sigset_t before, after;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);

  {
    const InterruptWatch watch([] {});
  }

  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}

/// Runs `test` in a process of its own, whose children and signals are nobody else's.
int status_of(const std::function<int()>& test) {
  const auto child = ::fork();
  if (child == 0) ::_exit(test());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(WorkDoneApart, GivesItsStatus) {
  EXPECT_EQ(status_of([] { return run_apart([] { return 6; }); }), 6);
}

TEST(WorkDoneApart, GivesAStatusWhenItIsKilled) {
  EXPECT_EQ(status_of([] { return run_apart([] { return ::raise(SIGKILL); }); }), 128 + SIGKILL);
}

TEST(WorkDoneApart, IsNotWaitedForOnceItsStatusIsKnown) {
  // A process that holds a thread asleep in the kernel does not become reapable. Here its own child
  // keeps the report's pipe open past its end, which is what waiting for end of file would hang on.
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto work = [&] {
    if (::fork() == 0) {
      char byte = 0;
      ::close(ends[1]);
      ::_exit(::read(ends[0], &byte, 1) < 0 ? 1 : 0);  // until the test lets go
    }
    return 3;
  };

  EXPECT_EQ(status_of([&] { return run_apart(work); }), 3);

  ::close(ends[1]);
  ::close(ends[0]);
}

TEST(WorkDoneApart, IsAskedToStopWhenItsParentIs) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto stoppable = [&] {
    std::binary_semaphore asked(0);
    const InterruptWatch watch([&] { asked.release(); });
    EXPECT_EQ(::write(ends[1], "r", 1), 1);  // ready
    asked.acquire();
    return 8;
  };
  const auto child = ::fork();
  if (child == 0) ::_exit(run_apart(stoppable));
  char ready = 0;
  ASSERT_EQ(::read(ends[0], &ready, 1), 1);

  ::kill(child, SIGTERM);

  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 8);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace volgrow::cli
