// SPDX-License-Identifier: Apache-2.0
// A program as systemd would run it: with a notification socket, its output in a file, and, when
// asked for, as a user that is not root. May be killed and started again.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/fd.h"
#include "tests/fakes/private_bus.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::testing {

class RunningProgram {
 public:
  struct Options {
    std::vector<std::string> environment{};  ///< "NAME=value", beside the caller's own
    std::optional<Account> account{};        ///< who can then reach folder(), too
  };

  /// Starts nothing yet.
  explicit RunningProgram(Options options);
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;
  ~RunningProgram() { kill(); }

  /// Returns once it has said READY=1; false when it ended before that. The program is words[0],
  /// or is started by it: strace …
  bool start(const std::vector<std::string>& words);
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGTERM; its exit status, or -1 when a signal ended it.
  int stop();
  /// Waits until it ends by itself; wait status as of waitpid(2).
  int wait();

  /// Who said READY=1, not what it runs under.
  pid_t pid() const { return ready_pid_; }
  bool running() const { return pid_ > 0; }
  /// Everything it wrote, of all its lives.
  std::string log() const;
  const TemporaryDirectory& folder() const { return folder_; }
  /// Writes a file into folder() that only the account may read.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  [[noreturn]] void become(std::vector<std::string> words) const;
  bool wait_until_ready();

  Options options_;
  TemporaryDirectory folder_;
  Fd notify_;
  pid_t pid_ = -1;        ///< of the child: the program or what it runs under
  pid_t ready_pid_ = -1;  ///< the notification's sender
};

}  // namespace volgrow::testing
