// SPDX-License-Identifier: Apache-2.0
// volgrow-backend's command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "backend/settings.h"
#include "core/error.h"

namespace volgrow::backend {

struct Options {
  std::filesystem::path config = default_settings_file;
  std::optional<std::filesystem::path> socket;  ///< nullopt: as inherited, else of the settings
  bool check_config = false;
  bool help = false;
  bool version = false;
};

/// Errors: InvalidArgs that names the option.
Result<Options> parse_options(int argc, char** argv);

/// The text of --help.
std::string usage();

}  // namespace volgrow::backend
