// SPDX-License-Identifier: Apache-2.0
// volgrow-backend: the privileged hands of volgrow-control. Root, one AF_UNIX socket, no network,
// no shell, and it starts no program.
#include <cstdio>

#include "backend/options.h"
#include "backend/program.h"

int main(int argc, char** argv) {
  const auto options = volgrow::backend::parse_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "volgrow-backend: %s\n", options.error().message.c_str());
    return volgrow::exit_status_of(volgrow::ErrorCode::invalid_args);
  }
  const auto status = volgrow::backend::run_program(*options);
  if (status) return *status;
  std::fprintf(stderr, "volgrow-backend: %s\n", status.error().message.c_str());
  return volgrow::exit_status_of(status.error().code);
}
