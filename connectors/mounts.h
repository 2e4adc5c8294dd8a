// SPDX-License-Identifier: Apache-2.0
// The mount table of this process (proc(5), mountinfo), as far as finding a share's directory needs
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace volgrow {

struct Mount {
  std::string point;
  std::string type;    ///< "nfs4" …
  std::string source;  ///< "server:/export" …
  bool operator==(const Mount&) const = default;
};

/// In the table's order: of two mounts on one point the later hides the earlier. Lines that are no
/// mountinfo are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);

}  // namespace volgrow
