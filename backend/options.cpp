// SPDX-License-Identifier: Apache-2.0
// getopt_long.
#include "backend/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <array>

namespace volgrow::backend {
namespace {

constexpr std::array long_options{
    option{"config", required_argument, nullptr, 'c'},
    option{"socket", required_argument, nullptr, 's'},
    option{"check-config", no_argument, nullptr, 'k'},
    option{"help", no_argument, nullptr, 'h'},
    option{"version", no_argument, nullptr, 'V'},
    option{nullptr, 0, nullptr, 0},
};

void take(Options& options, int letter, const char* argument) {
  switch (letter) {
    case 'c':
      options.config = argument;
      return;
    case 's':
      options.socket = argument;
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
                     fmt::format("{} {}; see volgrow-backend --help", argv[optind - 1],
                                 letter == '?' ? "is not an option" : "needs a value"));
    take(options, letter, optarg);
  }
  if (optind < argc)
    return failure(
        ErrorCode::invalid_args,
        fmt::format("unexpected argument '{}'; see volgrow-backend --help", argv[optind]));
  return options;
}

std::string usage() {
  return "Usage: volgrow-backend [OPTION]...\n"
         "Makes, grows, exports and removes volumes for volgrow-control, which may not.\n"
         "\n"
         "  --config FILE     settings (default /etc/volgrow/control.toml)\n"
         "  --check-config    check the settings, say what is wrong, and end\n"
         "  --socket PATH     listen here, and not where systemd or the settings say\n"
         "  --version, --help\n"
         "\n"
         "It is started by volgrow-backend.socket and asked by volgrow-control(8).\n";
}

}  // namespace volgrow::backend
