// SPDX-License-Identifier: Apache-2.0
// Starts dbus-daemon on a socket in a folder of its own; test code, so it may start a program.
#include "tests/fakes/private_bus.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "core/fd.h"

namespace volgrow::testing {
namespace {

// What Debian's /usr/share/dbus-1/system.conf says, without what belongs to one machine.
constexpr std::string_view config_head = R"(<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus"
           send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus"
           send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
)";

[[noreturn]] void give_up(const std::string& what, int error_number) {
  throw std::runtime_error(what + ": " + std::strerror(error_number));
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string policy_with_test_accounts() {
  const std::filesystem::path source = VOLGROW_SOURCE_DIR;
  auto policy = text_of(source / "systemd/org.volgrow.Agent1.conf");
  replace_all(policy, "group=\"volgrow\"", "group=\"" + std::to_string(operators_gid) + "\"");
  replace_all(policy, "user=\"volgrow-relay\"", "user=\"" + std::to_string(relay_uid) + "\"");
  return policy;
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) give_up("pipe2", errno);
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
  Fd read, write;
};

/// Up to end of file, or up to a line's end when that is all one asks for.
std::string read_from(int fd, bool one_line) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (!one_line || text.find('\n') == std::string::npos) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void write_to(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) give_up("waitpid", errno);
  return status;
}

[[noreturn]] void become_dbus_daemon(const std::string& config, const std::string& log,
                                     int address_fd) {
  // Should the test die without its destructors, the bus dies with it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::fcntl(address_fd, F_SETFD, 0);
  // It warns of limits that a container does not let it raise; of interest only when it fails.
  const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd >= 0) ::dup2(log_fd, STDERR_FILENO);
  const std::string config_option = "--config-file=" + config;
  const std::string address_option = "--print-address=" + std::to_string(address_fd);
  ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", config_option.c_str(),
           address_option.c_str(), nullptr);
  ::_exit(127);
}

void become(const Account& account) {
  if (::setgroups(account.groups.size(), account.groups.data()) != 0) give_up("setgroups", errno);
  if (::setgid(account.gid) != 0) give_up("setgid", errno);
  if (::setuid(account.uid) != 0) give_up("setuid", errno);
}

[[noreturn]] void answer_as(const Account& account, const std::function<std::string()>& work,
                            int out) {
  int status = 0;
  try {
    become(account);
    write_to(out, work());
  } catch (const std::exception& error) {
    write_to(out, error.what());
    status = 1;
  }
  ::_exit(status);  // not exit(): the parent's buffers and fixtures are not the child's to close
}

}  // namespace

PrivateBus::PrivateBus() {
  auto pattern = (std::filesystem::temp_directory_path() / "volgrow-bus-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) give_up("mkdtemp " + pattern, errno);
  folder_ = pattern;
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));  // other users connect too
  write_config();
  start();
}

PrivateBus::~PrivateBus() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PrivateBus::write_config() const {
  const auto policy = folder_ / "org.volgrow.Agent1.conf";
  std::ofstream(policy) << policy_with_test_accounts();
  std::ofstream(folder_ / "bus.conf")
      << config_head << "  <listen>unix:path=" << socket_path().string() << "</listen>\n  <include>"
      << policy.string() << "</include>\n</busconfig>\n";
}

void PrivateBus::start() {
  Pipe address;
  pid_ = ::fork();
  if (pid_ < 0) give_up("fork", errno);
  if (pid_ == 0) become_dbus_daemon(folder_ / "bus.conf", folder_ / "log", address.write.get());
  address.write = Fd();
  // dbus-daemon prints its address once it listens; end of file means that it never will.
  address_ = read_from(address.read.get(), true);
  if (!address_.ends_with('\n')) {
    stop();
    throw std::runtime_error("dbus-daemon (package dbus-daemon) did not start: " +
                             text_of(folder_ / "log"));
  }
  address_.pop_back();
}

void PrivateBus::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
  pid_ = -1;
}

void PrivateBus::restart() {
  stop();
  start();
}

std::string run_as(const Account& account, const std::function<std::string()>& work) {
  Pipe answer;
  const pid_t child = ::fork();
  if (child < 0) give_up("fork", errno);
  if (child == 0) answer_as(account, work, answer.write.get());
  answer.write = Fd();
  auto text = read_from(answer.read.get(), false);
  const int status = wait_for(child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error("the child under uid " + std::to_string(account.uid) +
                             " did not end well: " + text);
  return text;
}

}  // namespace volgrow::testing
