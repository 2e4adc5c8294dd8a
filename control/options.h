// SPDX-License-Identifier: Apache-2.0
// The command line of volgrow-control.
#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"

namespace volgrow::control {

struct Options {
  std::filesystem::path config = "/etc/volgrow/control.toml";
  bool config_given = false;
  bool check_config = false;
  bool help = false;
  bool version = false;
  bool status = false;  ///< `volgrow-control status`
  bool json = false;
};

/// Errors: InvalidArgs.
Result<Options> parse_options(int argc, char** argv);
std::string usage();

}  // namespace volgrow::control
