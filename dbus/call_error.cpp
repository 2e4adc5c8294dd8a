// SPDX-License-Identifier: Apache-2.0
// volgrowd's own errors keep their words; the bus's are put into ours.
#include "dbus/call_error.h"

#include <fmt/format.h>

namespace volgrow::bus {
namespace {

bool nobody_owns_the_name(const std::string& error_name) {
  return error_name == "org.freedesktop.DBus.Error.ServiceUnknown" ||
         error_name == "org.freedesktop.DBus.Error.NameHasNoOwner";
}

}  // namespace

Error error_of_call(const std::string& name, const std::string& message) {
  const auto code = error_code_of_dbus(name);
  if (nobody_owns_the_name(name))
    return Error{code, "volgrowd is not running on this bus: systemctl start volgrowd", {}, 0};
  if (code == ErrorCode::unreachable)
    return Error{code, fmt::format("volgrowd did not answer: {}", message), {}, 0};
  if (name == "org.freedesktop.DBus.Error.AccessDenied")
    return Error{code,
                 fmt::format("the bus policy does not allow this call (root and members of group "
                             "volgrow may make it): {}",
                             message),
                 {},
                 0};
  return Error{code, message, {}, 0};
}

}  // namespace volgrow::bus
