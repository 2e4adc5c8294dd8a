// SPDX-License-Identifier: Apache-2.0
// `volgrow-control status`: what is in flight, read from the database itself, so that it also
// answers when the service does not.
#pragma once

#include <string>

#include "control/store.h"

namespace volgrow::control {

/// A line for each extend under way and each host that has not confirmed. Errors: Internal, from
/// the database.
Result<std::string> status_table(Store& store, WallTime now);
/// The same as JSON, one document.
Result<std::string> status_json(Store& store);

}  // namespace volgrow::control
