// SPDX-License-Identifier: Apache-2.0
// volgrowd itself, as systemd would run it: on a private bus, with directories of its own and a
// notification socket. May be killed and started again over the same state.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/fd.h"
#include "tests/fakes/private_bus.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::testing {

class RunningDaemon {
 public:
  struct Options {
    std::string program;  ///< path of volgrowd
    std::string bus_address;
    std::string config;              ///< text of agent.toml; the accounts of PrivateBus are added
    std::vector<std::string> under;  ///< a program and its arguments to run it under: strace …
    std::vector<std::string> environment;  ///< "NAME=value", beside the caller's own
    std::string runtime_directory{};       ///< empty: beside its state
  };
  /// Starts nothing yet.
  explicit RunningDaemon(Options options);
  RunningDaemon(const RunningDaemon&) = delete;
  RunningDaemon& operator=(const RunningDaemon&) = delete;
  ~RunningDaemon();

  /// Returns once it has said READY=1; false when it ended before that.
  bool start();
  bool start_under(std::vector<std::string> under);
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGTERM; its exit status, or -1 when a signal ended it.
  int stop();
  /// Waits until it ends by itself; wait status as of waitpid(2).
  int wait();

  /// The daemon, not what it runs under.
  pid_t pid() const { return daemon_pid_; }
  bool running() const { return pid_ > 0; }
  /// Everything it wrote to standard error, of all its lives.
  std::string log() const;
  std::string state_directory() const { return folder_ / "state"; }
  std::string runtime_directory() const {
    return options_.runtime_directory.empty() ? folder_ / "run" : options_.runtime_directory;
  }
  std::string folder() const { return folder_.path(); }

 private:
  [[noreturn]] void become(const std::vector<std::string>& under) const;
  bool wait_until_ready();

  Options options_;
  TemporaryDirectory folder_;
  Fd notify_;
  pid_t pid_ = -1;         ///< of the child: the daemon or what it runs under
  pid_t daemon_pid_ = -1;  ///< as the notification's sender
};

}  // namespace volgrow::testing
