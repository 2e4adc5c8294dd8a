// SPDX-License-Identifier: Apache-2.0
// Mutual TLS: clients must show a certificate, and whom it names. GnuTLS, because libmicrohttpd
// hands its sessions out.
#pragma once

#include <optional>
#include <string_view>

#include "http/message.h"

struct gnutls_session_int;

namespace volgrow::http {

/// Whether there is a certificate in it at all.
bool holds_certificate(std::string_view pem);

/// Before the handshake: it fails unless the client shows a certificate that the server's client CA
/// signed and that is valid now.
void require_certificate(gnutls_session_int* session);

/// After the handshake. Nothing where the client showed none.
std::optional<ClientCertificate> shown_certificate(gnutls_session_int* session);

}  // namespace volgrow::http
