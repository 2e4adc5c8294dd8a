// SPDX-License-Identifier: Apache-2.0
// Elliptic keys and certificates made with GnuTLS, which takes a millisecond each.
#include "tests/fakes/certificate_authority.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>

namespace volgrow {
namespace {

struct KeyFree {
  void operator()(gnutls_x509_privkey_t key) const { gnutls_x509_privkey_deinit(key); }
};
struct CertificateFree {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using Key = std::unique_ptr<gnutls_x509_privkey_int, KeyFree>;
using Certificate = std::unique_ptr<gnutls_x509_crt_int, CertificateFree>;

void must(int done) {
  if (done < 0) std::abort();
}

Key new_key() {
  gnutls_x509_privkey_t key = nullptr;
  must(gnutls_x509_privkey_init(&key));
  must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
  return Key(key);
}

Certificate new_certificate(const std::string& name, const Key& key, std::time_t until) {
  static std::uint32_t serials = 0;
  gnutls_x509_crt_t made = nullptr;
  must(gnutls_x509_crt_init(&made));
  const std::uint32_t serial = htonl(++serials);
  must(gnutls_x509_crt_set_version(made, 3));
  must(gnutls_x509_crt_set_serial(made, &serial, sizeof serial));
  must(gnutls_x509_crt_set_activation_time(made, std::time(nullptr) - 3600));
  must(gnutls_x509_crt_set_expiration_time(made, until));
  must(gnutls_x509_crt_set_dn(made, ("CN=" + name + ",O=volgrow").c_str(), nullptr));
  must(gnutls_x509_crt_set_key(made, key.get()));
  return Certificate(made);
}

void add_loopback_names(const Certificate& certificate) {
  std::array<unsigned char, 16> address{};
  const auto add = [&](gnutls_x509_subject_alt_name_t kind, const void* bytes, unsigned size) {
    must(gnutls_x509_crt_set_subject_alt_name(certificate.get(), kind, bytes, size,
                                              GNUTLS_FSAN_APPEND));
  };
  constexpr std::string_view name = "localhost";
  add(GNUTLS_SAN_DNSNAME, name.data(), name.size());
  ::inet_pton(AF_INET, "127.0.0.1", address.data());
  add(GNUTLS_SAN_IPADDRESS, address.data(), 4);
  ::inet_pton(AF_INET6, "::1", address.data());
  add(GNUTLS_SAN_IPADDRESS, address.data(), 16);
}

void write(const std::string& path, gnutls_datum_t pem) {
  std::ofstream(path) << std::string_view(reinterpret_cast<char*>(pem.data), pem.size);
  gnutls_free(pem.data);
}

CertificateAuthority::Identity written(const std::string& stem, const Certificate& certificate,
                                       const Key& key) {
  CertificateAuthority::Identity files{stem + ".crt", stem + ".key"};
  gnutls_datum_t pem{};
  must(gnutls_x509_crt_export2(certificate.get(), GNUTLS_X509_FMT_PEM, &pem));
  write(files.certificate, pem);
  must(gnutls_x509_privkey_export2(key.get(), GNUTLS_X509_FMT_PEM, &pem));
  write(files.key, pem);
  return files;
}

}  // namespace

struct CertificateAuthority::Keys {
  Key key;
  Certificate certificate;
};

CertificateAuthority::CertificateAuthority(const std::string& name) {
  auto key = new_key();
  auto certificate = new_certificate(name, key, std::time(nullptr) + 3600);
  keys_ = std::make_unique<Keys>(std::move(key), std::move(certificate));
  auto* const own = keys_->certificate.get();
  must(gnutls_x509_crt_set_basic_constraints(own, 1, -1));
  must(gnutls_x509_crt_set_key_usage(own, GNUTLS_KEY_KEY_CERT_SIGN));
  must(gnutls_x509_crt_sign2(own, own, keys_->key.get(), GNUTLS_DIG_SHA256, 0));
  own_ = written(directory_ / name, keys_->certificate, keys_->key);
}

CertificateAuthority::~CertificateAuthority() = default;

CertificateAuthority::Identity CertificateAuthority::issue(const std::string& name,
                                                           std::chrono::seconds valid) {
  const auto key = new_key();
  const auto certificate = new_certificate(name, key, std::time(nullptr) + valid.count());
  must(gnutls_x509_crt_set_basic_constraints(certificate.get(), 0, -1));
  add_loopback_names(certificate);
  must(gnutls_x509_crt_sign2(certificate.get(), keys_->certificate.get(), keys_->key.get(),
                             GNUTLS_DIG_SHA256, 0));
  return written(directory_ / name, certificate, key);
}

}  // namespace volgrow
