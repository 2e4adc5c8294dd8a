// SPDX-License-Identifier: Apache-2.0
// Composes volgrow on a real machine; nothing else.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/apart.h"
#include "cli/direct.h"
#include "cli/program.h"
#include "core/clock.h"
#include "dbus/client.h"

int main(int argc, char** argv) {
  using namespace volgrow;
  cli::occupy_standard_streams();
  const SystemClock clock;
  const char* no_color = std::getenv("NO_COLOR");
  cli::Surroundings around{
      .console = {std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1},
      .clock = clock,
      .connect = bus::Client::connect,
      .perform = [&clock](const Step& step) { return cli::perform_here(step, clock); },
      .run_apart = cli::run_apart,
      .standard_input = STDIN_FILENO,
      .root = ::geteuid() == 0,
      .colors_unwanted = no_color != nullptr && *no_color != '\0',
  };
  return cli::run(argc, argv, around);
}
