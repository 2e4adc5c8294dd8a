// SPDX-License-Identifier: Apache-2.0
// Which processes compute, on real ones.
#include "agent/processors.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "tests/fakes/gate.h"

namespace volgrow::agent {
namespace {

class AChild {
 public:
  explicit AChild(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    work();
    ::_exit(0);
  }
  ~AChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  AChild(const AChild&) = delete;
  AChild& operator=(const AChild&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(RealProcessors, AreComputedOnByWhoNeverSleeps) {
  Gate begun;
  const AChild child([&] {
    begun.open();
    volatile bool forever = true;
    while (forever) {
    }
  });
  begun.pass();

  EXPECT_TRUE(real_processors().computes(child.pid()));
}

TEST(RealProcessors, AreLeftByWhoSleepsInTheKernel) {
  Gate never;
  const AChild child([&] { never.pass(); });
  const auto computes = real_processors().computes;

  while (computes(child.pid()))  // until it is there, and has gone to sleep
    ::sched_yield();
  EXPECT_FALSE(computes(child.pid()));
}

TEST(RealProcessors, AreNotUsedByAProcessThatIsGone) {
  EXPECT_FALSE(real_processors().computes(0x7fffffff));
}

TEST(RealProcessors, AreAtLeastOne) {
  EXPECT_GE(real_processors().count, 1U);
  EXPECT_LE(real_processors().count, static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_CONF)));
}

}  // namespace
}  // namespace volgrow::agent
