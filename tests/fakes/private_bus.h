// SPDX-License-Identifier: Apache-2.0
// A dbus-daemon of the test's own, with the system bus's rules and our policy file, and a way to
// talk to it as another user. Needs root. Never the machine's bus.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace volgrow::testing {

/// Stand in for the accounts of the policy file. dbus-daemon ignores rules for an account that does
/// not exist, so these are some that every Debian has (base-passwd): group operator, users games,
/// proxy and nobody.
inline constexpr gid_t operators_gid = 37;
inline constexpr uid_t operator_uid = 5;
inline constexpr uid_t relay_uid = 13;
inline constexpr uid_t stranger_uid = 65534;

/// Runs from construction to destruction. Throws std::runtime_error when it cannot be started.
class PrivateBus {
 public:
  PrivateBus();
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;
  ~PrivateBus();

  /// "unix:path=…", for --bus-address, Server::connect and Client::connect.
  const std::string& address() const { return address_; }
  std::filesystem::path socket_path() const { return folder_ / "bus"; }

  /// Ends the bus early: what a program does when its bus goes away.
  void stop();
  /// A new bus where the old one was. Only socket_path() stays true of it: its address names it
  /// too.
  void restart();

 private:
  void write_config() const;
  void start();

  std::filesystem::path folder_;
  std::string address_;
  pid_t pid_ = -1;
};

/// Who a piece of a test runs as.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones
};

inline Account an_operator() {
  return {operator_uid, operator_uid, {operators_gid}};
}
inline Account the_relay() {
  return {relay_uid, relay_uid, {}};
}
inline Account a_stranger() {
  return {stranger_uid, stranger_uid, {}};
}

/// Runs `work` in a child process under that account and returns what it returned; a bus sees the
/// child's real credentials. Throws std::runtime_error when the child does not end well.
std::string run_as(const Account& account, const std::function<std::string()>& work);

}  // namespace volgrow::testing
