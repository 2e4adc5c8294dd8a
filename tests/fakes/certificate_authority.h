// SPDX-License-Identifier: Apache-2.0
// A certificate authority that lives for one test: it signs who asks, for this machine's loopback.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tests/fakes/real_loop.h"

namespace volgrow {

class CertificateAuthority {
 public:
  /// Files in PEM form, in a directory of the authority's own.
  struct Identity {
    std::string certificate;
    std::string key;
  };

  explicit CertificateAuthority(const std::string& name);
  ~CertificateAuthority();

  /// Its own certificate: whom to trust.
  const std::string& certificate() const { return own_.certificate; }
  /// `name` is the common name and the file's; good for 127.0.0.1, ::1 and localhost, from an hour
  /// ago until `valid` from now.
  Identity issue(const std::string& name, std::chrono::seconds valid = std::chrono::hours(1));

 private:
  struct Keys;

  TemporaryDirectory directory_;
  std::unique_ptr<Keys> keys_;
  Identity own_;
};

}  // namespace volgrow
