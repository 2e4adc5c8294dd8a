// SPDX-License-Identifier: Apache-2.0
// volgrowd itself, as systemd would run it: on a private bus, with directories of its own and a
// notification socket. May be killed and started again over the same state.
#pragma once

#include <string>
#include <vector>

#include "tests/fakes/running_program.h"

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

  /// Returns once it has said READY=1; false when it ended before that.
  bool start() { return start_under(options_.under); }
  bool start_under(std::vector<std::string> under);
  /// SIGKILL, and waits until it is gone.
  void kill() { program_.kill(); }
  /// SIGTERM; its exit status, or -1 when a signal ended it.
  int stop() { return program_.stop(); }
  /// Waits until it ends by itself; wait status as of waitpid(2).
  int wait() { return program_.wait(); }

  /// The daemon, not what it runs under.
  pid_t pid() const { return program_.pid(); }
  bool running() const { return program_.running(); }
  /// Everything it wrote to standard error, of all its lives.
  std::string log() const { return program_.log(); }
  std::string state_directory() const { return program_.folder() / "state"; }
  std::string runtime_directory() const {
    return options_.runtime_directory.empty() ? program_.folder() / "run"
                                              : options_.runtime_directory;
  }
  std::string folder() const { return program_.folder().path(); }

 private:
  Options options_;
  RunningProgram program_;
};

}  // namespace volgrow::testing
