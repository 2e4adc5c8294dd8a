// SPDX-License-Identifier: Apache-2.0
// The version documents, which tell a client where to go and what it may ask for; and whether we
// are there at all.
#pragma once

#include "control/rest/router.h"

namespace volgrow::control::rest {

/// "/", "/v3", "/v3/" and "/healthcheck", all without a token.
void add_versions(Api& api);

}  // namespace volgrow::control::rest
