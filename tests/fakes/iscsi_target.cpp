// SPDX-License-Identifier: Apache-2.0
// tgtd says READY=1 as to a service manager; tgtadm tells it what to offer.
#include "tests/fakes/iscsi_target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "core/files.h"
#include "tests/fakes/ran_program.h"

namespace volgrow::testing {
namespace {

/// tgtd names its sockets and lock by this number.
constexpr const char* control_port = "1";

Fd notification_socket(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("bind " + path + ": " + std::strerror(errno));
  return socket;
}

std::string path_of_program() {
  for (const auto* path : {"/usr/sbin/tgtd", "/usr/local/sbin/tgtd"})
    if (::access(path, X_OK) == 0) return path;
  return "";
}

}  // namespace

std::uint16_t free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, size) != 0 || ::getsockname(socket.get(), generic, &size) != 0)
    throw std::runtime_error(std::string("no port of loopback: ") + std::strerror(errno));
  return ntohs(address.sin_port);
}

void IscsiTarget::become() const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no target behind
  const Fd log(::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ::dup2(log.get(), STDERR_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::setenv("NOTIFY_SOCKET", (folder_ / "notify").c_str(), 1);
  ::setenv("TGT_IPC_SOCKET", (folder_ / "control").c_str(), 1);
  auto portals = fmt::format("portal=127.0.0.1:{0},portal=127.0.0.2:{0}", port_);
  if (std::filesystem::exists("/proc/sys/net/ipv6/conf/lo"))
    portals += fmt::format(",portal=[::1]:{}", port_);
  ::execl(path_of_program().c_str(), "tgtd", "-f", "-C", control_port, "--iscsi", portals.c_str(),
          nullptr);
  ::_exit(127);
}

bool IscsiTarget::start_once() {
  port_ = free_port();
  notify_ = notification_socket(folder_ / "notify");
  std::filesystem::remove(folder_ / "log");
  pid_ = ::fork();
  if (pid_ == 0) become();
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  std::array<pollfd, 2> waits{pollfd{notify_.get(), POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
  // It goes on without the portals that it could not bind, and says so before it is ready.
  const bool deaf = log().find("failed to create/bind to portal 127.") != std::string::npos;
  if (waits[0].revents != 0 && !deaf) return true;
  stop();
  return false;
}

std::string IscsiTarget::start() {
  if (path_of_program().empty()) return "tgtd is not installed: run scripts/setup";
  constexpr int attempts = 5;  // somebody else may take the port first
  for (int attempt = 0; attempt < attempts; ++attempt)
    if (start_once()) return "";
  return "tgtd does not run here: " + log();
}

void IscsiTarget::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void IscsiTarget::admin(std::vector<std::string> words) const {
  words.insert(words.begin(), {"tgtadm", "-C", control_port, "--lld", "iscsi"});
  const auto ran = run_program(words, {"TGT_IPC_SOCKET=" + (folder_ / "control")});
  if (ran.status != 0) throw std::runtime_error("tgtadm: " + ran.out + ran.err);
}

void IscsiTarget::add_target(int number, const std::string& name) {
  const auto tid = std::to_string(number);
  admin({"--mode", "target", "--op", "new", "--tid", tid, "--targetname", name});
  admin({"--mode", "target", "--op", "bind", "--tid", tid, "--initiator-address", "ALL"});
}

void IscsiTarget::add_lun(int number, int lun, Bytes size, int block_length) {
  const auto file = folder_ / ("disk" + std::to_string(number) + "-" + std::to_string(lun));
  resize_sparse(file, size);
  admin({"--mode", "logicalunit", "--op", "new", "--tid", std::to_string(number), "--lun",
         std::to_string(lun), "--backing-store", file, "--blocksize",
         std::to_string(block_length)});
}

void IscsiTarget::protect(int number, const std::string& user, const std::string& secret) {
  admin({"--mode", "account", "--op", "new", "--user", user, "--password", secret});
  admin({"--mode", "account", "--op", "bind", "--tid", std::to_string(number), "--user", user});
}

void IscsiTarget::redirect(int number, const std::string& address, std::uint16_t port,
                           const std::string& reason) {
  const auto set = [&](const std::string& name, const std::string& value) {
    admin({"--mode", "target", "--op", "update", "--tid", std::to_string(number), "--name", name,
           "--value", value});
  };
  set("RedirectAddress", address);
  set("RedirectPort", std::to_string(port));
  set("RedirectReason", reason);
}

void IscsiTarget::allow_only(int number, const std::string& initiator) {
  const auto tid = std::to_string(number);
  admin({"--mode", "target", "--op", "unbind", "--tid", tid, "--initiator-address", "ALL"});
  admin({"--mode", "target", "--op", "bind", "--tid", tid, "--initiator-name", initiator});
}

std::string IscsiTarget::control_socket() const {
  return folder_ / "control." + control_port;
}

std::string IscsiTarget::log() const {
  return read_text_file(folder_ / "log", 1_MiB).value_or("");
}

}  // namespace volgrow::testing
