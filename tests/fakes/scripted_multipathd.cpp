// SPDX-License-Identifier: Apache-2.0
// The socket behind the script, served by one thread, one connection after the other.
#include "tests/fakes/scripted_multipathd.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace volgrow {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::abort();
}

Fd listen_on(const std::string& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const bool abstract = address.starts_with('@');
  const auto size = std::min(address.size(), sizeof name.sun_path - 1);
  std::ranges::copy_n(address.begin(), static_cast<std::ptrdiff_t>(size), name.sun_path);
  if (abstract) name.sun_path[0] = '\0';
  if (!abstract) ::unlink(address.c_str());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto length = offsetof(sockaddr_un, sun_path) + size + (abstract ? 0 : 1);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), static_cast<socklen_t>(length)) !=
      0)
    give_up("bind");
  if (::listen(fd.get(), 10) != 0) give_up("listen");
  return fd;
}

std::optional<std::string> read_exactly(const Fd& fd, std::size_t size) {
  std::string bytes(size, '\0');
  const auto got = ::recv(fd.get(), bytes.data(), size, MSG_WAITALL);
  if (got != static_cast<ssize_t>(size)) return std::nullopt;
  return bytes;
}

std::optional<std::string> read_command(const Fd& fd) {
  const auto head = read_exactly(fd, sizeof(std::size_t));
  if (!head) return std::nullopt;
  std::size_t size = 0;
  std::memcpy(&size, head->data(), sizeof size);
  auto text = read_exactly(fd, size);
  if (!text || text->empty() || text->back() != '\0') return "no NUL: " + text.value_or("");
  text->pop_back();
  return text;
}

/// False once nobody takes it any more.
bool taken(const Fd& fd, const std::stop_token& stop) {
  int waiting = 0;
  do {
    if (::ioctl(fd.get(), SIOCOUTQ, &waiting) != 0) return false;
    std::this_thread::yield();
  } while (waiting > 0 && !stop.stop_requested());
  return waiting == 0;
}

void send_in_single_bytes(const Fd& fd, const std::string& bytes, const std::stop_token& stop) {
  for (const char& byte : bytes)
    if (::send(fd.get(), &byte, 1, MSG_NOSIGNAL) != 1 || !taken(fd, stop)) return;
}

void send_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

std::string promising(std::size_t size, std::string_view bytes) {
  std::string head(sizeof size, '\0');
  std::memcpy(head.data(), &size, sizeof size);
  return head + std::string(bytes);
}

std::string framed(std::string_view text) {
  return promising(text.size() + 1, std::string(text) + '\0');
}

Scene answering(std::string_view text) {
  return {.bytes = framed(text)};
}

namespace {

Director playing(std::deque<Scene> script) {
  return [script = std::move(script)](const std::string&) mutable {
    if (script.empty()) return answering("ok\n");
    auto scene = std::move(script.front());
    script.pop_front();
    return scene;
  };
}

}  // namespace

ScriptedMultipathd::ScriptedMultipathd(const std::string& address, std::deque<Scene> script)
    : ScriptedMultipathd(address, playing(std::move(script))) {}

ScriptedMultipathd::ScriptedMultipathd(const std::string& address, Director director)
    : address_(address),
      listener_(listen_on(address)),
      director_(std::move(director)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

ScriptedMultipathd::~ScriptedMultipathd() {
  thread_.request_stop();
  ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
}

std::vector<std::string> ScriptedMultipathd::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

Scene ScriptedMultipathd::next_scene(const std::string& command) {
  const std::lock_guard lock(mutex_);
  heard_.push_back(command);
  return director_(command);
}

void ScriptedMultipathd::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) talk(std::move(client), stop);
  }
}

void ScriptedMultipathd::talk(Fd client, const std::stop_token& stop) {
  auto command = read_command(client);
  if (!command) return;
  const auto scene = next_scene(*command);
  if (scene.first) scene.first();
  if (scene.in_single_bytes) send_in_single_bytes(client, scene.bytes, stop);
  if (!scene.in_single_bytes) send_all(client, scene.bytes);
  if (!scene.hangs_up) kept_open_.push_back(std::move(client));
}

}  // namespace volgrow
