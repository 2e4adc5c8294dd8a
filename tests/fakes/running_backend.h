// SPDX-License-Identifier: Apache-2.0
// volgrow-backend itself, as systemd would run it: with a listening socket that is handed over and
// outlives it. May be killed and started again over the same settings.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/fd.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::testing {

class RunningBackend {
 public:
  /// `config`: the text of its control.toml. Starts nothing yet.
  explicit RunningBackend(const std::string& config);
  RunningBackend(const RunningBackend&) = delete;
  RunningBackend& operator=(const RunningBackend&) = delete;
  ~RunningBackend() { kill(); }

  /// Under a program that becomes it in the same process, such as strace -D; or by itself.
  void start(std::vector<std::string> under = {});
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGTERM; its exit status, or -1 when a signal ended it.
  int stop();

  /// The answer to one packet, on a connection of its own. nullopt: it died before it answered.
  std::optional<std::string> ask(const std::string& packet) const;

  std::string socket() const { return folder_ / "backend.sock"; }
  std::string config_file() const { return folder_ / "control.toml"; }
  /// Everything it wrote to standard error, of all its lives.
  std::string log() const;
  pid_t pid() const { return pid_; }

 private:
  [[noreturn]] void become(std::vector<std::string> words) const;

  TemporaryDirectory folder_;
  Fd listener_;
  pid_t pid_ = -1;
};

}  // namespace volgrow::testing
