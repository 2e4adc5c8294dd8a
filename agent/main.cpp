// SPDX-License-Identifier: Apache-2.0
// volgrowd: composes the daemon out of its parts, in the only order that is safe. The zygote comes
// first: what is opened later, no worker can hold.
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "agent/daemon.h"
#include "agent/options.h"

int main(int argc, char** argv) {
  const auto options = volgrow::agent::parse_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "volgrowd: %s\n", options.error().message.c_str());
    return volgrow::exit_status_of(volgrow::ErrorCode::invalid_args);
  }
  const auto status = volgrow::agent::run_daemon(*options);
  if (status) return *status;
  std::fprintf(stderr, "volgrowd: %s\n", status.error().message.c_str());
  return volgrow::exit_status_of(status.error().code);
}
