// SPDX-License-Identifier: Apache-2.0
// A real iSCSI target in user space: Debian's tgtd(8) on a port of loopback, with a control socket
// and backing files of its own. No kernel module, no configuration of the machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/fd.h"
#include "tests/fakes/real_loop.h"

namespace volgrow::testing {

class IscsiTarget {
 public:
  IscsiTarget() = default;
  IscsiTarget(const IscsiTarget&) = delete;
  IscsiTarget& operator=(const IscsiTarget&) = delete;
  ~IscsiTarget() { stop(); }

  /// Why it cannot run here; empty: it runs.
  std::string start();
  void stop();

  /// Target `number` with this name, open to every initiator.
  void add_target(int number, const std::string& name);
  /// LUN `lun` of target `number` over a file of this size.
  void add_lun(int number, int lun, Bytes size, int block_length = 512);
  /// From now on target `number` wants CHAP.
  void protect(int number, const std::string& user, const std::string& secret);
  /// Sends initiators elsewhere; tgtd does so only to another address than they come from.
  void redirect(int number, const std::string& address, std::uint16_t port,
                const std::string& reason = "Temporary");
  /// Only this initiator may log in.
  void allow_only(int number, const std::string& initiator);

  std::uint16_t port() const { return port_; }
  std::string portal() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string other_portal() const { return "127.0.0.2:" + std::to_string(port_); }
  /// Where it takes commands.
  std::string control_socket() const;
  std::string log() const;

 private:
  bool start_once();
  [[noreturn]] void become() const;
  void admin(std::vector<std::string> words) const;

  TemporaryDirectory folder_;
  Fd notify_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

/// A port of 127.0.0.1 that nobody listens on.
std::uint16_t free_port();

}  // namespace volgrow::testing
