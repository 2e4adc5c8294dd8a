// SPDX-License-Identifier: Apache-2.0
// Where Nova's clients look for versions before they ask for anything else.
#pragma once

#include <string_view>

#include "http/message.h"

namespace volgrow::relay {

/// `url` is what the client reached, without a last slash: "http://127.0.0.1:8790". GET /.
http::Response versions_document(std::string_view url);
/// GET /v2.1.
http::Response version_document(std::string_view url);

}  // namespace volgrow::relay
