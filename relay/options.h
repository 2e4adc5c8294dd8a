// SPDX-License-Identifier: Apache-2.0
// volgrow-relay's command line.
#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"

namespace volgrow::relay {

struct Options {
  std::filesystem::path config = "/etc/volgrow/relay.toml";
  bool config_given = false;  ///< a missing default file means the defaults; a named one must exist
  std::string bus_address;    ///< empty: the system bus
  bool check_config = false;
  bool help = false;
  bool version = false;
};

/// Errors: InvalidArgs that names the option.
Result<Options> parse_options(int argc, char** argv);

/// The text of --help.
std::string usage();

}  // namespace volgrow::relay
