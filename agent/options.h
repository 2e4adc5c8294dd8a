// SPDX-License-Identifier: Apache-2.0
// volgrowd's command line.
#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"

namespace volgrow::agent {

struct Options {
  std::filesystem::path config = "/etc/volgrow/agent.toml";
  bool config_given = false;  ///< a missing default file means the defaults; a named one must exist
  std::string bus_address;    ///< empty: the system bus
  std::filesystem::path state_directory = "/var/lib/volgrow";
  std::filesystem::path runtime_directory = "/run/volgrow";
  bool check_config = false;
  bool help = false;
  bool version = false;
};

/// $STATE_DIRECTORY and $RUNTIME_DIRECTORY (systemd.exec(5)) come before the defaults, options
/// before both. Errors: InvalidArgs that names the option.
Result<Options> parse_options(int argc, char** argv);

/// The text of --help.
std::string usage();

}  // namespace volgrow::agent
