// SPDX-License-Identifier: Apache-2.0
// The tables that control keeps, and how a database of an older version is brought up to them.
#pragma once

#include "service/database.h"

namespace volgrow::control {

extern const DatabaseKind control_kind;

}  // namespace volgrow::control
