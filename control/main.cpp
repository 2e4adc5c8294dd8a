// SPDX-License-Identifier: Apache-2.0
// volgrow-control: options in, exit status out.
#include <cstdio>

#include "control/daemon.h"
#include "control/options.h"

int main(int argc, char** argv) {
  const auto options = volgrow::control::parse_options(argc, argv);
  const auto status = options ? volgrow::control::run(*options)
                              : volgrow::Result<int>(std::unexpected(options.error()));
  if (status) return *status;
  std::fprintf(stderr, "volgrow-control: %s\n", status.error().message.c_str());
  return volgrow::exit_status_of(status.error().code);
}
