// SPDX-License-Identifier: Apache-2.0
// getopt_long, and one word that may stand beside the options.
#include "control/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <array>

namespace volgrow::control {
namespace {

constexpr std::array long_options{
    option{"config", required_argument, nullptr, 'c'},
    option{"check-config", no_argument, nullptr, 'k'},
    option{"json", no_argument, nullptr, 'j'},
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
    case 'k':
      options.check_config = true;
      return;
    case 'j':
      options.json = true;
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
                     fmt::format("{} {}; see volgrow-control --help", argv[optind - 1],
                                 letter == '?' ? "is not an option" : "needs a value"));
    take(options, letter, optarg);
  }
  for (; optind < argc; ++optind) {
    if (std::string_view(argv[optind]) != "status" || options.status)
      return failure(
          ErrorCode::invalid_args,
          fmt::format("unexpected argument '{}'; see volgrow-control --help", argv[optind]));
    options.status = true;
  }
  return options;
}

std::string usage() {
  return "Usage: volgrow-control [OPTION]...\n"
         "       volgrow-control status [--json] [--config FILE]\n"
         "Extends volumes as Cinder does, tells the hosts, and keeps what they measured.\n"
         "\n"
         "  --config FILE    settings (default /etc/volgrow/control.toml)\n"
         "  --check-config   check the settings, say what is wrong, and end\n"
         "  --version, --help\n"
         "\n"
         "  status           volumes in flight, and hosts that have not confirmed, as a table\n"
         "\n"
         "It answers cinder(1) and openstack(1) as Cinder v3 does, and hosts at /volgrow/v1.\n";
}

}  // namespace volgrow::control
