// SPDX-License-Identifier: Apache-2.0
// Signals as values, and the child that --direct works in.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <latch>
#include <memory>
#include <semaphore>

#include "cli/apart.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/step_threads.h"
#include "core/clock.h"

namespace volgrow::cli {
namespace {

/// Runs `test` in a process of its own, with no other thread: a signal to this one would be taken
/// by any thread that does not block it. Tests in the background of a shell ignore SIGINT: not
/// here.
int status_of(const std::function<int()>& test) {
  const auto child = ::fork();
  if (child == 0) {
    ::signal(SIGINT, SIG_DFL);
    ::_exit(test());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(AnInterrupt, IsToldToItsWatchInsteadOfEndingTheProgram) {
  const auto interrupted = [] {
    std::binary_semaphore told(0);
    const InterruptWatch watch([&] { told.release(); });
    ::kill(::getpid(), SIGINT);
    told.acquire();
    return 5;
  };

  EXPECT_EQ(status_of(interrupted), 5);
}

TEST(AnInterrupt, IsTheSystemsAgainAfterItsWatch) {
  const auto interrupted_late = [] {
    {
      const InterruptWatch watch([] {});
    }
    return ::raise(SIGINT);
  };

  EXPECT_EQ(status_of(interrupted_late), 1000 + SIGINT);
}

int hang() {
  const auto never = std::make_shared<std::latch>(1);
  StepThreads threads([never](const Step& step) {
    never->wait();
    return StepResult{step.id, StepAnswer(Done{}), {}};
  });
  const auto results = threads.perform({Step{7, MeasureStep{}, {SystemClock().now()}}});
  const bool says_so = results.size() == 1 && results[0].id == 7 && !results[0].answer &&
                       results[0].answer.error().code == ErrorCode::path_hung;
  return says_so && threads.left_behind() == 1 ? 5 : 1;
}

TEST(AHungStep, EndsAsPathHungAndDoesNotHoldAProcessThatLeaves) {
  EXPECT_EQ(status_of(hang), 5);
}

TEST(AClosedStandardOutput, IsNotTakenByTheNextFileThatIsOpened) {
  const auto print_into_nothing = [] {
    ::close(STDOUT_FILENO);
    occupy_standard_streams();
    const int next = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    return next != STDOUT_FILENO && ::write(STDOUT_FILENO, "x", 1) < 0 ? 5 : 1;
  };

  EXPECT_EQ(status_of(print_into_nothing), 5);
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
  EXPECT_EQ(status, 8 << 8);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace volgrow::cli
