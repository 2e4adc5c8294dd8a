// SPDX-License-Identifier: Apache-2.0
// One command and one reply over multipathd's own socket: the frame, the deadline, who is
// listening. Knows no command and no reply but `timeout`, and never starts a multipathd.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

struct MultipathdSocket {
  /// Tried in this order; one that begins with '@' is abstract. The path is that of multipath-tools
  /// 0.12 and later, the abstract name that of all before.
  std::vector<std::string> addresses = {"/run/multipathd.socket",
                                        "@/org/kernel/linux/storage/multipathd"};
  /// Who must have begun to listen there: anybody may take an abstract name that is free.
  uid_t owner = 0;
};

/// Errors as Host::multipathd().
Result<std::string> multipathd_command(const MultipathdSocket& socket, std::string_view command,
                                       Deadline deadline, const Clock& clock);

}  // namespace volgrow
