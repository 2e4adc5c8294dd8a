// SPDX-License-Identifier: Apache-2.0
// The journal's writes of one turn of the loop, as one transaction.
#pragma once

#include "agent/journal.h"
#include "service/commits.h"

namespace volgrow::agent {

using Commits = CommitsOf<Journal>;

}  // namespace volgrow::agent
