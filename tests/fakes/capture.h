// SPDX-License-Identifier: Apache-2.0
// A recorded host as a value: what scripts/capture-host wrote, read back. The format is described
// in tests/captures/README.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "connectors/host.h"

namespace volgrow {

struct Capture {
  struct Folder {
    bool operator==(const Folder&) const = default;
  };
  struct Link {
    std::string target;
    bool operator==(const Link&) const = default;
  };
  struct Attribute {
    std::string text;
    bool operator==(const Attribute&) const = default;
  };
  struct Unreadable {
    int error_number = 0;
    bool operator==(const Unreadable&) const = default;
  };
  using Entry = std::variant<Folder, Link, Attribute, Unreadable>;

  std::map<std::string, Entry> sysfs;             ///< by path below /sys
  std::map<std::string, std::string> links;       ///< "/dev/mapper/a" → "../dm-0"
  std::map<std::string, FileStatus> files;        ///< device nodes, and files behind loop devices
  std::string mountinfo;                          ///< as /proc/self/mountinfo
  std::map<std::string, std::string> multipathd;  ///< command → reply; empty: nobody listened
};

/// Errors: InvalidArgs that names the line.
Result<Capture> parse_capture(std::string_view text);

}  // namespace volgrow
