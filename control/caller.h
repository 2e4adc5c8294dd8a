// SPDX-License-Identifier: Apache-2.0
// Who asks: what an authenticated request says of its sender.
#pragma once

#include <string>

namespace volgrow::control {

struct Caller {
  std::string user_id;
  std::string project_id;
  bool is_admin = false;
  std::string request_id;  ///< "req-<uuid>", made with the request

  bool operator==(const Caller&) const = default;
};

}  // namespace volgrow::control
