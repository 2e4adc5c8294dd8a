// SPDX-License-Identifier: Apache-2.0
// volgrow-relay: composes the relay out of its parts.
#include <cstdio>

#include "relay/daemon.h"
#include "relay/options.h"

int main(int argc, char** argv) {
  const auto options = volgrow::relay::parse_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "volgrow-relay: %s\n", options.error().message.c_str());
    return volgrow::exit_status_of(volgrow::ErrorCode::invalid_args);
  }
  const auto status = volgrow::relay::run_daemon(*options);
  if (status) return *status;
  std::fprintf(stderr, "volgrow-relay: %s\n", status.error().message.c_str());
  return volgrow::exit_status_of(status.error().code);
}
