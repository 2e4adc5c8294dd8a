// SPDX-License-Identifier: Apache-2.0
// What a client asks of a list (conditions, order, marker) as one query.
#pragma once

#include "control/store.h"
#include "service/database.h"

namespace volgrow::control {

/// Errors: InvalidArgs for a sort key that is none. Its marker must be there.
Result<rows::Query> query_for(const VolumePage& page);
Result<rows::Query> query_for(const MessagePage& page);
Result<rows::Query> query_for(const AttachmentPage& page);
/// How many they are without the page's limits.
rows::Query count_for(const VolumePage& page);

}  // namespace volgrow::control
