// SPDX-License-Identifier: Apache-2.0
// getopt_long.
#include "relay/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <array>

namespace volgrow::relay {
namespace {

constexpr std::array long_options{
    option{"config", required_argument, nullptr, 'c'},
    option{"bus-address", required_argument, nullptr, 'b'},
    option{"check-config", no_argument, nullptr, 'k'},
    option{"help", no_argument, nullptr, 'h'},
    option{"version", no_argument, nullptr, 'V'},
    option{nullptr, 0, nullptr, 0},
};

void take(Options& options, int letter, const char* argument) {
  switch (letter) {
    case 'c':
      options.config = argument;
      options.config_given = true;
      return;
    case 'b':
      options.bus_address = argument;
      return;
    case 'k':
      options.check_config = true;
      return;
    case 'h':
      options.help = true;
      return;
    case 'V':
      options.version = true;
      return;
    default:
      return;
  }
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  opterr = 0;
  optind = 1;
  for (int letter = 0;
       (letter = getopt_long(argc, argv, ":", long_options.data(), nullptr)) != -1;) {
    if (letter == '?' || letter == ':')
      return failure(ErrorCode::invalid_args,
                     fmt::format("{} {}; see volgrow-relay --help", argv[optind - 1],
                                 letter == '?' ? "is not an option" : "needs a value"));
    take(options, letter, optarg);
  }
  if (optind < argc)
    return failure(ErrorCode::invalid_args,
                   fmt::format("unexpected argument '{}'; see volgrow-relay --help", argv[optind]));
  return options;
}

std::string usage() {
  return "Usage: volgrow-relay [OPTION]...\n"
         "Takes volume-extended events over HTTP to volgrowd, and its reports back to control.\n"
         "\n"
         "  --config FILE             settings (default /etc/volgrow/relay.toml)\n"
         "  --check-config            check the settings, say what is wrong, and end\n"
         "  --bus-address ADDRESS     a D-Bus address instead of the system bus\n"
         "  --version, --help\n"
         "\n"
         "It answers POST .../os-server-external-events as Nova does.\n";
}

}  // namespace volgrow::relay
