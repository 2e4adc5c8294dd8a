// SPDX-License-Identifier: Apache-2.0
// What a command runs with: the machine as main.cpp composed it, and the options every command has.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "cli/console.h"
#include "cli/step_threads.h"
#include "core/clock.h"
#include "core/error.h"
#include "dbus/client.h"

namespace volgrow::cli {

using Connect = std::function<Result<std::unique_ptr<bus::Client>>(const std::string& address)>;
/// Runs `work` so that a thread asleep in the kernel cannot keep the caller waiting for the end.
using RunApart = std::function<int(const std::function<int()>& work)>;

struct Surroundings {
  Console console;
  const Clock& clock;
  Connect connect;
  Performer perform;  ///< one step of --direct; called from a thread of its own
  RunApart run_apart;
  int standard_input = 0;
  bool root = false;                           ///< may use --direct
  bool colors_unwanted = false;                ///< NO_COLOR
  std::filesystem::path root_directory = "/";  ///< what doctor looks at, and where /run/volgrow is
};

struct CommonOptions {
  bool json = false;
  bool direct = false;
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
  std::string bus_address;  ///< empty: the system bus
};

struct Session {
  Surroundings& around;
  CommonOptions common;

  std::ostream& out() const { return around.console.out; }
  std::ostream& err() const { return around.console.err; }
  bool colored() const {
    return around.console.out_terminal && !common.no_color && !around.colors_unwanted;
  }
  bool shows_progress() const { return around.console.err_terminal && !common.quiet; }
  Result<std::unique_ptr<bus::Client>> connect() const {
    return around.connect(common.bus_address);
  }
};

}  // namespace volgrow::cli
