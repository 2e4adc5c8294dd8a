// SPDX-License-Identifier: Apache-2.0
// What volgrow needs of a host, as a table of checks. They read files, sysfs and the bus; they
// change nothing and start nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "dbus/client.h"

namespace volgrow::cli {

/// `warn`: works, but not for everybody or not for everything. `fail`: mend it first.
enum class Health : std::uint8_t { ok, warn, fail };

struct Finding {
  std::string_view check;  ///< the check's name, stable
  Health health = Health::ok;
  std::string what;
  std::string fix;  ///< empty when there is nothing to mend

  bool operator==(const Finding&) const = default;
};

/// The host to be examined; tests have a small tree of files instead of "/".
struct Premises {
  std::filesystem::path root;
  bus::Client* daemon = nullptr;   ///< nullptr: the bus itself could not be reached
  std::optional<Error> bus_error;  ///< why
  /// Asks multipathd something it answers without doing anything; empty: there is nobody to ask.
  std::function<Result<std::string>(std::string_view question)> multipathd{};
};

/// One finding for each check, in the order of the table.
std::vector<Finding> examine(const Premises& premises);

std::string_view name_of(Health health);

}  // namespace volgrow::cli
