// SPDX-License-Identifier: Apache-2.0
// Composition: configuration, secrets, the two HTTP halves, the bus, and the loop that owns them.
#include "relay/daemon.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "http/client.h"
#include "http/server.h"
#include "relay/courier.h"
#include "relay/receiver.h"
#include "service/log.h"

namespace volgrow::relay {
namespace {

Result<Config> load_config(const Options& options) {
  if (std::filesystem::exists(options.config)) return read_config(options.config);
  if (!options.config_given) return Config{};
  return failure(ErrorCode::invalid_args,
                 fmt::format("--config: there is no file {}", options.config.native()));
}

template <class T>
Result<void> keep(Result<T> made, T& place) {
  if (!made) return std::unexpected(std::move(made.error()));
  place = std::move(*made);
  return {};
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options{.listen = config.address, .tls = {}, .limits = {}, .on_refused = {}};
  if (!config.certificate.empty())
    options.tls = http::ServerTls{config.certificate, config.key, config.client_ca};
  options.limits.connections = config.most_connections;
  options.on_refused = refusal;
  return options;
}

/// Everything that lives as long as the relay, in the order it is made; undone backwards, so that
/// nothing calls what is gone.
class Daemon {
 public:
  explicit Daemon(const Config& config)
      : config_(config), log_(open_log("volgrow-relay", *log_level_named(config.log_level))) {}

  Result<void> start(const Options& options);
  Result<int> run();

 private:
  Result<void> connect(const Options& options);
  Result<void> serve();
  Result<void> watch();
  Result<void> on_signal(int signal, EventLoop::Callback callback);
  void reload();

  const Config& config_;
  SystemClock clock_;
  std::unique_ptr<Log> log_;
  Secrets secrets_;
  std::minstd_rand random_{std::random_device{}()};
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<ControlPlane> control_;
  std::unique_ptr<Courier> courier_;
  std::unique_ptr<bus::AsyncClient> agent_;
  std::unique_ptr<Receiver> receiver_;
  std::unique_ptr<http::Server> server_;
  std::vector<EventLoop::Watch> watches_;
};

Result<void> Daemon::start(const Options& options) {
  for (const auto& concern : concerns(config_))
    log_->warning(concern);
  if (auto done = keep(read_secrets(config_), secrets_); !done) return done;
  if (auto done = keep(EventLoop::create(), loop_); !done) return done;
  if (auto done = connect(options); !done) return done;
  if (auto done = serve(); !done) return done;
  return watch();
}

Result<void> Daemon::connect(const Options& options) {
  if (auto done = keep(http::Client::create(*loop_, clock_, {}), client_); !done) return done;
  control_ = std::make_unique<ControlPlane>(*client_, config_, secrets_);
  agent_ = bus::AsyncClient::create(*loop_, clock_,
                                    {.address = options.bus_address,
                                     .first_retry = config_.reconnect,
                                     .slowest_retry = config_.slowest_reconnect,
                                     .on_outbox = [this] { courier_->wake(); }});
  courier_ = std::make_unique<Courier>(
      Courier::Needs{*loop_, clock_, config_, *agent_, *control_, *log_,
                     [this] { return std::generate_canonical<double, 32>(random_); }});
  return {};
}

Result<void> Daemon::serve() {
  receiver_ = std::make_unique<Receiver>(
      Receiver::Needs{clock_, config_, secrets_, *control_, *agent_, *log_});
  return keep(http::Server::listen(*loop_, clock_, server_options(config_),
                                   [this](http::Request request, http::Answer answer) {
                                     receiver_->take(std::move(request), std::move(answer));
                                   }),
              server_);
}

Result<void> Daemon::on_signal(int signal, EventLoop::Callback callback) {
  auto watch = loop_->on_signal(signal, std::move(callback));
  if (!watch) return std::unexpected(std::move(watch.error()));
  watches_.push_back(std::move(*watch));
  return {};
}

Result<void> Daemon::watch() {
  for (const int signal : {SIGTERM, SIGINT})
    if (auto done = on_signal(signal, [this] { loop_->exit(0); }); !done) return done;
  if (auto done = on_signal(SIGHUP, [this] { reload(); }); !done) return done;
  return loop_->enable_watchdog();
}

/// Tokens and passwords alone are read again; a file that is wrong leaves the old ones in force.
void Daemon::reload() {
  notify_service_manager("RELOADING=1");
  if (auto done = keep(read_secrets(config_), secrets_); done)
    log_->info("tokens and passwords are read again");
  else
    log_->error(fmt::format("the old tokens and passwords stay: {}", done.error().message));
  notify_service_manager("READY=1");
}

Result<int> Daemon::run() {
  log_->info(fmt::format("volgrow-relay {} listens on {}", VOLGROW_VERSION, server_->endpoint()));
  notify_service_manager("READY=1");
  auto status = loop_->run();
  notify_service_manager("STOPPING=1");
  return status;
}

int say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

Result<int> run_daemon(const Options& options) {
  if (options.help) return say(usage());
  if (options.version) return say(fmt::format("volgrow-relay {}\n", VOLGROW_VERSION));
  const auto config = load_config(options);
  if (!config) return std::unexpected(config.error());
  if (options.check_config) return say(fmt::format("{}: ok\n", options.config.native()));
  // libcurl must not touch signals in a program with threads, and its TLS writes with write(2).
  std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file and no ptrace of a process that holds tokens
  Daemon daemon(*config);
  if (auto started = daemon.start(options); !started)
    return std::unexpected(std::move(started.error()));
  return daemon.run();
}

}  // namespace volgrow::relay
