// SPDX-License-Identifier: Apache-2.0
// A multipathd that plays a script: a real socket and the real frame, and for each command what the
// script says, also what no multipathd should ever do. Knows no maps; FakeMultipathd does.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/fd.h"

namespace volgrow {

/// What is done with one command that has come whole.
struct Scene {
  std::string bytes{};               ///< sent as they are, frame included
  bool hangs_up = true;              ///< afterwards; otherwise the connection stays open
  bool in_single_bytes = false;      ///< each sent when the one before has been taken
  std::function<void()> first = {};  ///< done before anything is sent
};

/// The text as multipathd frames it.
std::string framed(std::string_view text);
/// A frame that promises `size` bytes and goes on with `bytes`.
std::string promising(std::size_t size, std::string_view bytes);
Scene answering(std::string_view text);

/// What is to be done with this command.
using Director = std::function<Scene(const std::string& command)>;

class ScriptedMultipathd {
 public:
  /// Listens on `address`, one that begins with '@' is abstract; a path that is there is replaced.
  /// What comes after the last scene is answered `ok`.
  explicit ScriptedMultipathd(const std::string& address, std::deque<Scene> script = {});
  /// Each command is handed to `director`, on the thread that serves the socket.
  ScriptedMultipathd(const std::string& address, Director director);
  /// Nobody listens any more; the path stays, as a killed daemon leaves it.
  ~ScriptedMultipathd();
  ScriptedMultipathd(const ScriptedMultipathd&) = delete;
  ScriptedMultipathd& operator=(const ScriptedMultipathd&) = delete;

  /// Every command so far, without its NUL; one without it is shown as "no NUL: …".
  std::vector<std::string> heard() const;
  const std::string& address() const { return address_; }

 private:
  void serve(const std::stop_token& stop);
  void talk(Fd client, const std::stop_token& stop);
  Scene next_scene(const std::string& command);

  std::string address_;
  Fd listener_;
  std::vector<Fd> kept_open_;
  mutable std::mutex mutex_;
  Director director_;
  std::vector<std::string> heard_;
  std::jthread thread_;
};

}  // namespace volgrow
