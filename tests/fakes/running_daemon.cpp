// SPDX-License-Identifier: Apache-2.0
// volgrowd's own options over a running program.
#include "tests/fakes/running_daemon.h"

namespace volgrow::testing {
namespace {

constexpr const char* accounts = "\n[access]\ngroup = \"37\"\nrelay_user = \"13\"\n";

}  // namespace

RunningDaemon::RunningDaemon(Options options)
    : options_(std::move(options)), program_({.environment = options_.environment}) {
  program_.write("agent.toml", options_.config + accounts);
}

bool RunningDaemon::start_under(std::vector<std::string> under) {
  const auto& folder = program_.folder();
  under.insert(under.end(), {options_.program, "--config", folder / "agent.toml", "--bus-address",
                             options_.bus_address, "--state-directory", state_directory(),
                             "--runtime-directory", runtime_directory()});
  return program_.start(under);
}

}  // namespace volgrow::testing
