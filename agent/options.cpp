// SPDX-License-Identifier: Apache-2.0
// getopt_long and the environment systemd gives.
#include "agent/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <array>
#include <cstdlib>

namespace volgrow::agent {
namespace {

constexpr std::array long_options{
    option{"config", required_argument, nullptr, 'c'},
    option{"bus-address", required_argument, nullptr, 'b'},
    option{"state-directory", required_argument, nullptr, 's'},
    option{"runtime-directory", required_argument, nullptr, 'r'},
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
    case 's':
      options.state_directory = argument;
      return;
    case 'r':
      options.runtime_directory = argument;
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

void from_environment(const char* name, std::filesystem::path& directory) {
  if (const auto* given = std::getenv(name); given != nullptr && *given != '\0') directory = given;
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  from_environment("STATE_DIRECTORY", options.state_directory);
  from_environment("RUNTIME_DIRECTORY", options.runtime_directory);
  opterr = 0;
  optind = 1;
  for (int letter = 0;
       (letter = getopt_long(argc, argv, ":", long_options.data(), nullptr)) != -1;) {
    if (letter == '?' || letter == ':')
      return failure(ErrorCode::invalid_args,
                     fmt::format("{} {}; see volgrowd --help", argv[optind - 1],
                                 letter == '?' ? "is not an option" : "needs a value"));
    take(options, letter, optarg);
  }
  if (optind < argc)
    return failure(ErrorCode::invalid_args,
                   fmt::format("unexpected argument '{}'; see volgrowd --help", argv[optind]));
  return options;
}

std::string usage() {
  return "Usage: volgrowd [OPTION]...\n"
         "Makes attached volumes bigger on every layer of this host, and reports measured bytes.\n"
         "\n"
         "  --config FILE             settings (default /etc/volgrow/agent.toml)\n"
         "  --check-config            check the settings, say what is wrong, and end\n"
         "  --bus-address ADDRESS     a D-Bus address instead of the system bus\n"
         "  --state-directory DIR     where the journal is (default /var/lib/volgrow)\n"
         "  --runtime-directory DIR   where locks are (default /run/volgrow)\n"
         "  --version, --help\n"
         "\n"
         "It answers on D-Bus as org.volgrow.Agent1; operators use volgrow(1).\n";
}

}  // namespace volgrow::agent
