// SPDX-License-Identifier: Apache-2.0
// signalfd and eventfd: the thread waits for either, so that it can be ended without a signal.
#include "cli/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace volgrow::cli {
namespace {

sigset_t interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void watch(int signals, int stop, const std::function<void()>& then) {
  std::array<pollfd, 2> ready{pollfd{signals, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
  while (::poll(ready.data(), ready.size(), -1) >= 0) {
    if (ready[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (::read(signals, &signal, sizeof signal) == sizeof signal) then();
  }
}

}  // namespace

InterruptsBlocked::InterruptsBlocked() {
  const auto set = interrupts();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

void InterruptsBlocked::lift() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

InterruptWatch::InterruptWatch(std::function<void()> then) {
  const auto set = interrupts();
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  stop_ = Fd(::eventfd(0, EFD_CLOEXEC));
  thread_ = std::jthread([signals = signals_.get(), stop = stop_.get(), then = std::move(then)] {
    watch(signals, stop, then);
  });
}

InterruptWatch::~InterruptWatch() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

}  // namespace volgrow::cli
