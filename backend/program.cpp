// SPDX-License-Identifier: Apache-2.0
// Puts the parts together: settings, listener, drivers, server.
#include "backend/program.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <vector>

#include "backend/driver.h"
#include "backend/listener.h"
#include "backend/server.h"
#include "core/clock.h"
#include "core/event_loop.h"
#include "service/log.h"

namespace volgrow::backend {
namespace {

int say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

Result<Fd> listener_for(const Options& options, const Settings& settings,
                        std::optional<uid_t> user) {
  if (options.socket) return bind_listener(*options.socket, user);
  auto inherited = inherited_listener();
  if (!inherited || *inherited) return inherited;
  return bind_listener(settings.socket, user);
}

Server::Drivers drivers_for(const Settings& settings, const SharedClock& clock) {
  Server::Drivers drivers;
  for (const auto& backend : settings.backends)
    drivers.emplace(backend.name, make_driver(backend, clock));
  return drivers;
}

/// The signals are blocked before the first thread exists, so every thread leaves them to the loop.
Result<std::vector<EventLoop::Watch>> watch_for_the_end(EventLoop& loop) {
  std::vector<EventLoop::Watch> watches;
  for (const int signal : {SIGTERM, SIGINT}) {
    auto watch = loop.on_signal(signal, [&loop] { loop.exit(0); });
    if (!watch) return std::unexpected(std::move(watch.error()));
    watches.push_back(std::move(*watch));
  }
  return watches;
}

Result<int> serve(const Options& options, const Settings& settings, Log& log) {
  const auto clock = std::make_shared<const SystemClock>();
  const auto user = uid_of(settings.user);
  if (!user) log.warning(fmt::format("there is no user {}: only root may ask", settings.user));
  auto listener = listener_for(options, settings, user);
  if (!listener) return std::unexpected(std::move(listener.error()));
  auto loop = EventLoop::create();
  if (!loop) return std::unexpected(std::move(loop.error()));
  const auto watches = watch_for_the_end(**loop);
  if (!watches) return std::unexpected(watches.error());
  auto server = Server::create({**loop, *clock, log}, drivers_for(settings, clock), user, {});
  if (!server) return std::unexpected(std::move(server.error()));
  if (auto done = (*server)->listen(std::move(*listener)); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = (*loop)->enable_watchdog(); !done)
    return std::unexpected(std::move(done.error()));
  notify_service_manager("READY=1");
  log.info(fmt::format("volgrow-backend {} serves {} back ends", VOLGROW_VERSION,
                       settings.backends.size()));
  return (*loop)->run();
}

}  // namespace

Result<int> run_program(const Options& options) {
  if (options.help) return say(usage());
  if (options.version) return say(fmt::format("volgrow-backend {}\n", VOLGROW_VERSION));
  const auto settings = read_settings(options.config);
  if (!settings) return std::unexpected(settings.error());
  if (options.check_config) return say(fmt::format("{}: ok\n", options.config.native()));
  ::umask(0077);
  const auto log = open_log("volgrow-backend", LogLevel::info);
  return serve(options, *settings, *log);
}

}  // namespace volgrow::backend
