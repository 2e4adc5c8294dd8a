// SPDX-License-Identifier: Apache-2.0
// The server's certificates and key as text, read once when it starts.
#pragma once

#include <string>

#include "core/error.h"
#include "http/server.h"

namespace volgrow::http {

struct Pem {
  std::string certificate;
  std::string key;
  std::string client_ca;  ///< empty unless clients must show a certificate
};

/// Errors: Internal with errno for a file that cannot be read; InvalidArgs for one that is too big,
/// and for a client CA that holds no certificate: it would be no client CA.
Result<Pem> read_pem(const ServerTls& files);

}  // namespace volgrow::http
