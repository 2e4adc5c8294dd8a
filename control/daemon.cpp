// SPDX-License-Identifier: Apache-2.0
// Composition: settings, database, back ends, flow, REST, and the loop that owns them all.
#include "control/daemon.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "control/attaching.h"
#include "control/exports.h"
#include "control/extends.h"
#include "control/metrics.h"
#include "control/report_tokens.h"
#include "control/reports.h"
#include "control/rest/attachments.h"
#include "control/rest/face.h"
#include "control/rest/faults.h"
#include "control/rest/own_api.h"
#include "control/rest/types.h"
#include "control/rest/volume_actions.h"
#include "control/status.h"

namespace volgrow::control {
namespace {

std::filesystem::path file_of(const std::string& database_url) {
  return database_url.substr(std::string_view("sqlite:///").size());
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

template <class T>
Result<void> keep(Result<T> made, T& place) {
  if (!made) return std::unexpected(std::move(made.error()));
  place = std::move(*made);
  return {};
}

/// Everything that lives as long as the program, in the order it is made; undone backwards.
class Daemon {
 public:
  Daemon(Options options, Config config)
      : options_(std::move(options)),
        config_(std::move(config)),
        log_(open_log("volgrow-control", *log_level_named(config_.log_level))) {}

  Result<void> open();
  Result<void> begin();
  Result<int> run();

 private:
  Result<void> authenticate();
  Result<void> have_default_type();
  Result<void> resume();
  Result<void> listen();
  Result<void> watch();
  void reload();
  http::ServerOptions server_options() const;
  void answer(http::Request request, http::Answer answer);
  void answer_measured(http::Request request, http::Answer answer);
  http::Response metrics_for(const http::Request& request) const;

  const Options options_;
  Config config_;
  SystemClock clock_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Store> store_;
  std::optional<Commits> commits_;
  std::unique_ptr<backend::Client> backends_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<Notifications> notifications_;
  ReportTokens tokens_;
  Metrics metrics_;
  std::optional<Deliveries> deliveries_;
  std::optional<Extends> extends_;
  std::optional<Exports> exports_;
  std::optional<Attaching> attaching_;
  std::optional<Reports> reports_;
  std::optional<Pools> pools_;
  std::optional<Provisioning> provisioning_;
  std::unique_ptr<rest::Authentication> authentication_;
  std::optional<rest::Records> records_;
  std::optional<rest::Policy> policy_;
  std::optional<rest::Api> api_;
  std::optional<rest::OwnApi> own_api_;
  std::unique_ptr<http::Server> server_;
  std::vector<EventLoop::Watch> watches_;
};

Result<void> Daemon::open() {
  if (config_.host.empty()) config_.host = host_name();
  if (auto done = keep(EventLoop::create(), loop_); !done) return done;
  if (auto done = keep(Store::open(file_of(config_.database_url)), store_); !done) return done;
  if (auto done = keep(http::Client::create(*loop_, clock_, {}), client_); !done) return done;
  if (auto done = keep(ReportTokens::read(config_.report_tokens_file), tokens_); !done) return done;
  backends_ = backend::make_client(*loop_, clock_, config_.backends.socket);
  notifications_ = config_.notification_url.empty()
                       ? notifications_to_log(*log_, clock_)
                       : notifications_to(config_.notification_url, *client_, *log_, clock_);
  return authenticate();
}

Result<void> Daemon::authenticate() {
  switch (config_.auth) {
    case Auth::noauth:
      authentication_ = rest::noauth();
      return {};
    case Auth::http_basic:
      return keep(rest::http_basic(*loop_, config_.htpasswd_file), authentication_);
  }
  return {};
}

Result<void> Daemon::begin() {
  commits_.emplace(*loop_, clock_, *store_);
  deliveries_.emplace(Deliveries::Needs{*loop_, clock_, *commits_, *client_, config_, *log_});
  extends_.emplace(Extends::Needs{*loop_, clock_, *commits_, *backends_, *deliveries_,
                                  *notifications_, config_, *log_});
  exports_.emplace(Exports::Needs{clock_, *commits_, *backends_, config_, *log_});
  attaching_.emplace(Attaching::Needs{clock_, *commits_, *exports_, config_, *log_});
  reports_.emplace(Reports::Needs{clock_, *commits_, *log_});
  pools_.emplace(Pools::Needs{*loop_, clock_, *backends_, config_, *log_});
  provisioning_.emplace(
      Provisioning::Needs{*loop_, clock_, *commits_, *backends_, *pools_, config_, *log_});
  records_.emplace(*commits_, *store_, *log_);
  policy_.emplace(rest::Policy::Rules(config_.policy.begin(), config_.policy.end()));
  own_api_.emplace(rest::OwnApi::Needs{*authentication_, *records_, *commits_, *backends_,
                                       *reports_, tokens_, config_, clock_});
  if (auto done = resume(); !done) return done;
  if (auto done = listen(); !done) return done;
  return watch();
}

/// Cinder's databases have it from their first migration on.
Result<void> Daemon::have_default_type() {
  auto store = commits_->open();
  if (!store) return std::unexpected(std::move(store.error()));
  return rest::ensure_default_type(**store, clock_.wall());
}

Result<void> Daemon::resume() {
  if (auto done = have_default_type(); !done) return done;
  pools_->start();
  if (auto done = provisioning_->resume(); !done) return done;
  if (auto done = deliveries_->resume(); !done) return done;
  return extends_->resume();
}

http::ServerOptions Daemon::server_options() const {
  http::ServerOptions options{.listen = config_.listen, .tls = {}, .limits = {}, .on_refused = {}};
  options.limits.connections = config_.most_connections;
  options.limits.receiving = options.limits.sending = config_.request_time;
  options.on_refused = rest::refusal;
  if (!config_.tls_certificate.empty())
    options.tls = http::ServerTls{config_.tls_certificate, config_.tls_key, config_.tls_client_ca};
  return options;
}

Result<void> Daemon::listen() {
  auto server = http::Server::listen(*loop_, clock_, server_options(),
                                     [this](http::Request request, http::Answer answer) {
                                       answer_measured(std::move(request), std::move(answer));
                                     });
  if (auto done = keep(std::move(server), server_); !done) return done;
  api_.emplace(*authentication_, *commits_, *log_,
               rest::Api::Options{.scheme = config_.tls_certificate.empty() ? "http" : "https",
                                  .endpoint = server_->endpoint()});
  const rest::Workplace work{*records_, *policy_, *pools_, *provisioning_, config_, clock_};
  rest::add_face(*api_, work);
  rest::add_volume_actions(*api_, work, *attaching_, *extends_);
  rest::add_attachments(*api_, work, *attaching_);
  return {};
}

void Daemon::answer_measured(http::Request request, http::Answer answer) {
  auto measured = [this, begun = clock_.now(),
                   answer = std::move(answer)](std::optional<http::Response> response) mutable {
    if (!response) return;  // the server answers what was dropped
    metrics_.answered(response->status, clock_.now() - begun);
    answer(std::move(*response));
  };
  this->answer(std::move(request), http::Answer(std::move(measured)));
}

void Daemon::answer(http::Request request, http::Answer answer) {
  if (request.path == "/metrics") return answer(metrics_for(request));
  if (rest::OwnApi::serves(request.path))
    return own_api_->answer(std::move(request), std::move(answer));
  api_->answer(std::move(request), std::move(answer));
}

/// To this host alone: who scrapes from elsewhere puts a proxy in front, with its own credentials.
http::Response Daemon::metrics_for(const http::Request& request) const {
  if (request.peer != "127.0.0.1" && request.peer != "::1")
    return {.status = 403, .fields = {{"Content-Type", "text/plain"}}, .body = "loopback only\n"};
  return {.status = 200,
          .fields = {{"Content-Type", "text/plain; version=0.0.4"}},
          .body = metrics_.text({.extends_under_way = extends_->under_way(),
                                 .deliveries = deliveries_->depth(),
                                 .reports_stored = reports_->stored(),
                                 .reports_refused = reports_->refused(),
                                 .connections = server_->connections()})};
}

/// What can change live: the policy, quotas, receivers and their time, tokens and the log's level.
/// The rest stays until the next start.
void Daemon::reload() {
  notify_service_manager("RELOADING=1");
  auto config = read_config(options_.config);
  auto tokens = config ? ReportTokens::read(config->report_tokens_file)
                       : Result<ReportTokens>(std::unexpected(config.error()));
  if (!tokens) {
    log_->error(fmt::format("settings not read again: {}", tokens.error().message));
    return notify_service_manager("READY=1");
  }
  policy_->replace(rest::Policy::Rules(config->policy.begin(), config->policy.end()));
  config_.policy = config->policy;
  config_.receivers = config->receivers;
  config_.quota_volumes = config->quota_volumes;
  config_.quota_gigabytes = config->quota_gigabytes;
  config_.quota_per_volume_gigabytes = config->quota_per_volume_gigabytes;
  tokens_ = std::move(*tokens);
  log_->set_level(*log_level_named(config->log_level));
  log_->info("settings read again");
  notify_service_manager("READY=1");
}

Result<void> Daemon::watch() {
  for (const int signal : {SIGTERM, SIGINT}) {
    auto watch = loop_->on_signal(signal, [this] { loop_->exit(0); });
    if (!watch) return std::unexpected(std::move(watch.error()));
    watches_.push_back(std::move(*watch));
  }
  auto reloading = loop_->on_signal(SIGHUP, [this] { reload(); });
  if (!reloading) return std::unexpected(std::move(reloading.error()));
  watches_.push_back(std::move(*reloading));
  return loop_->enable_watchdog();
}

Result<int> Daemon::run() {
  notify_service_manager("READY=1");
  log_->info(fmt::format("volgrow-control {} answers at {}", VOLGROW_VERSION, server_->endpoint()));
  auto status = loop_->run();
  notify_service_manager("STOPPING=1");
  server_.reset();
  commits_->flush();
  return status;
}

Result<int> say(const Result<std::string>& text) {
  if (!text) return std::unexpected(text.error());
  std::fputs(text->c_str(), stdout);
  return 0;
}

Result<int> show_status(const Options& options, const Config& config) {
  auto store = Store::look(file_of(config.database_url));
  if (!store) return std::unexpected(std::move(store.error()));
  return say(options.json ? status_json(**store) : status_table(**store, SystemClock().wall()));
}

Result<Config> load_config(const Options& options) {
  if (std::filesystem::exists(options.config)) return read_config(options.config);
  if (!options.config_given) return Config{};
  return failure(ErrorCode::invalid_args,
                 fmt::format("--config: there is no file {}", options.config.native()));
}

}  // namespace

Result<int> run(const Options& options) {
  if (options.help) return say(usage());
  if (options.version) return say(fmt::format("volgrow-control {}\n", VOLGROW_VERSION));
  auto config = load_config(options);
  if (!config) return std::unexpected(std::move(config.error()));
  if (options.check_config) return say(fmt::format("{}: ok\n", options.config.native()));
  if (options.status) return show_status(options, *config);
  Daemon daemon(options, std::move(*config));
  if (auto opened = daemon.open(); !opened) return std::unexpected(std::move(opened.error()));
  if (auto begun = daemon.begin(); !begun) return std::unexpected(std::move(begun.error()));
  return daemon.run();
}

}  // namespace volgrow::control
