// SPDX-License-Identifier: Apache-2.0
// Files into memory; whether key and certificate fit, libmicrohttpd finds out.
#include "http/pem.h"

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "http/peer_certificate.h"

namespace volgrow::http {
namespace {

constexpr Bytes longest = 1_MiB;

}  // namespace

Result<Pem> read_pem(const ServerTls& files) {
  auto certificate = read_text_file(files.certificate, longest);
  if (!certificate) return std::unexpected(std::move(certificate.error()));
  auto key = read_text_file(files.key, longest);
  if (!key) return std::unexpected(std::move(key.error()));
  if (files.client_ca.empty()) return Pem{std::move(*certificate), std::move(*key), {}};
  auto client_ca = read_text_file(files.client_ca, longest);
  if (!client_ca) return std::unexpected(std::move(client_ca.error()));
  if (!holds_certificate(*client_ca))
    return failure(ErrorCode::invalid_args,
                   fmt::format("{} holds no certificate in PEM form", printable(files.client_ca)));
  return Pem{std::move(*certificate), std::move(*key), std::move(*client_ca)};
}

}  // namespace volgrow::http
