// SPDX-License-Identifier: Apache-2.0
// Client certificates over GnuTLS.
#include "http/peer_certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <memory>
#include <string>

namespace volgrow::http {
namespace {

struct CertificateFree {
  void operator()(gnutls_x509_crt_int* certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, CertificateFree>;

struct TextFree {
  void operator()(unsigned char* text) const { gnutls_free(text); }
};

/// nullptr when it is none.
Certificate parsed(const gnutls_datum_t& bytes, gnutls_x509_crt_fmt_t format) {
  gnutls_x509_crt_t made = nullptr;
  if (gnutls_x509_crt_init(&made) != GNUTLS_E_SUCCESS) return nullptr;
  Certificate certificate(made);
  if (gnutls_x509_crt_import(made, &bytes, format) != GNUTLS_E_SUCCESS) return nullptr;
  return certificate;
}

std::string subject_of(gnutls_x509_crt_t certificate) {
  gnutls_datum_t text{nullptr, 0};
  if (gnutls_x509_crt_get_dn3(certificate, &text, 0) != GNUTLS_E_SUCCESS) return {};
  const std::unique_ptr<unsigned char, TextFree> owned(text.data);
  return {reinterpret_cast<const char*>(text.data), text.size};
}

std::string common_name_of(gnutls_x509_crt_t certificate) {
  std::string name(256, '\0');
  auto size = name.size();
  if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name.data(),
                                    &size) != GNUTLS_E_SUCCESS)
    return {};
  name.resize(size);
  return name;
}

}  // namespace

bool holds_certificate(std::string_view pem) {
  std::basic_string<unsigned char> bytes(pem.begin(), pem.end());
  return parsed({bytes.data(), static_cast<unsigned>(bytes.size())}, GNUTLS_X509_FMT_PEM) !=
         nullptr;
}

void require_certificate(gnutls_session_t session) {
  gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  gnutls_session_set_verify_cert(session, nullptr, 0);
}

std::optional<ClientCertificate> shown_certificate(gnutls_session_t session) {
  unsigned count = 0;
  const auto* const chain = gnutls_certificate_get_peers(session, &count);
  if (!chain || count == 0) return std::nullopt;
  const auto certificate = parsed(chain[0], GNUTLS_X509_FMT_DER);
  if (!certificate) return std::nullopt;
  return ClientCertificate{subject_of(certificate.get()), common_name_of(certificate.get())};
}

}  // namespace volgrow::http
