// SPDX-License-Identifier: Apache-2.0
// Composition: configuration, zygote, journal, bus, events, and the loop that owns them all.
#include "agent/daemon.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "agent/agent.h"
#include "connectors/linux_host.h"

namespace volgrow::agent {
namespace {

constexpr std::size_t events_per_turn = 256;

Result<Config> load_config(const Options& options) {
  const bool there = std::filesystem::exists(options.config);
  if (there) return read_config(options.config);
  if (!options.config_given) return Config{};
  return failure(ErrorCode::invalid_args,
                 fmt::format("--config: there is no file {}", options.config.native()));
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// What a worker does; made in the worker, so that the zygote holds nothing of the machine.
class StepWorker {
 public:
  explicit StepWorker(const std::vector<std::string>& file_roots)
      : connectors_(std::make_shared<Connectors>(all_connectors(file_roots))),
        clock_(std::make_shared<SystemClock>()) {}

  StepResult operator()(const Step& step) {
    if (!host_) {
      auto host = open_linux_host(*clock_);
      if (!host) return {step.id, std::unexpected(std::move(host.error())), Duration::zero()};
      host_ = std::move(*host);
    }
    return perform(step, *connectors_, *host_);
  }

 private:
  std::shared_ptr<const Connectors> connectors_;
  std::shared_ptr<const SystemClock> clock_;
  std::shared_ptr<Host> host_;
};

Result<void> make_directory(const std::filesystem::path& path, std::filesystem::perms mode) {
  std::error_code error;
  if (std::filesystem::create_directories(path, error); error)
    return system_failure(error.value(), fmt::format("make directory {}", path.native()));
  std::filesystem::permissions(path, mode, error);
  return {};
}

Result<std::unique_ptr<Journal>> open_journal(const Options& options, const Clock& clock) {
  using std::filesystem::perms;
  if (auto made = make_directory(options.state_directory, perms::owner_all); !made)
    return std::unexpected(std::move(made.error()));
  const auto everyone = perms::owner_all | perms::group_read | perms::group_exec |
                        perms::others_read | perms::others_exec;
  if (auto made = make_directory(options.runtime_directory, everyone); !made)
    return std::unexpected(std::move(made.error()));
  return Journal::open(options.state_directory / "journal.sqlite", host_name(), clock);
}

/// Everything that lives as long as the daemon, in the order it is made; undone backwards.
class Daemon {
 public:
  static Result<std::unique_ptr<Daemon>> create(const Options& options, const Config& config,
                                                Zygote zygote);
  Result<int> run();

 private:
  explicit Daemon(const Config& config)
      : config_(config), log_(open_log("volgrowd", *log_level_named(config.log_level))) {}

  Result<void> open(const Options& options, Zygote zygote);
  Result<void> connect(const Options& options);
  Result<void> watch();

  const Config& config_;
  SystemClock clock_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<UeventMonitor> uevents_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<bus::Server> server_;
  std::vector<EventLoop::Watch> watches_;
};

template <class T>
Result<void> keep(Result<T> made, T& place) {
  if (!made) return std::unexpected(std::move(made.error()));
  place = std::move(*made);
  return {};
}

Result<void> Daemon::open(const Options& options, Zygote zygote) {
  if (auto done = keep(EventLoop::create(), loop_); !done) return done;
  if (auto done = keep(open_linux_host(clock_), host_); !done) return done;
  if (auto done = keep(open_journal(options, clock_), journal_); !done) return done;
  if (auto done =
          keep(WorkerPool::create(*loop_, clock_, std::move(zygote), config_.workers), pool_);
      !done)
    return done;
  return keep(UeventMonitor::open(config_.uevent_buffer), uevents_);
}

Result<void> Daemon::connect(const Options& options) {
  agent_ = std::make_unique<Agent>(Agent::Needs{
      *loop_, clock_, *host_, *journal_, *pool_, config_,
      AccessRules::lookup(config_.group, config_.relay_user), options.runtime_directory, *log_});
  if (auto done = keep(bus::Server::connect(*loop_, options.bus_address, *agent_), server_); !done)
    return done;
  // Without its bus the daemon serves nobody; its supervisor starts it anew and the journal brings
  // the jobs back.
  server_->on_lost([this] {
    log_->error("the bus hung up");
    loop_->exit(exit_status_of(ErrorCode::unreachable));
  });
  if (auto started = agent_->start(*server_); !started) return started;
  return server_->own_name();
}

Result<void> Daemon::watch() {
  auto events = loop_->on_ready(uevents_->fd(), EPOLLIN, [this](std::uint32_t) {
    agent_->on_uevents(uevents_->receive(events_per_turn));
  });
  if (!events) return std::unexpected(std::move(events.error()));
  watches_.push_back(std::move(*events));
  for (const int signal : {SIGTERM, SIGINT}) {
    auto watch = loop_->on_signal(signal, [this] { loop_->exit(0); });
    if (!watch) return std::unexpected(std::move(watch.error()));
    watches_.push_back(std::move(*watch));
  }
  pool_->on_zygote_end([this](const Error& error) {
    log_->error(error.message);
    loop_->exit(exit_status_of(error.code));
  });
  return loop_->enable_watchdog();
}

Result<std::unique_ptr<Daemon>> Daemon::create(const Options& options, const Config& config,
                                               Zygote zygote) {
  std::unique_ptr<Daemon> daemon(new Daemon(config));
  if (auto done = daemon->open(options, std::move(zygote)); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = daemon->watch(); !done) return std::unexpected(std::move(done.error()));
  if (auto done = daemon->connect(options); !done) return std::unexpected(std::move(done.error()));
  return daemon;
}

Result<int> Daemon::run() {
  notify_service_manager("READY=1");
  log_->info(fmt::format("volgrowd {} is ready", VOLGROW_VERSION));
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
  if (options.version) return say(fmt::format("volgrowd {}\n", VOLGROW_VERSION));
  const auto config = load_config(options);
  if (!config) return std::unexpected(config.error());
  if (options.check_config) return say(fmt::format("{}: ok\n", options.config.native()));
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file and no ptrace of a process that may see secrets
  auto zygote =
      Zygote::start([roots = config->file_roots]() -> Performer { return StepWorker(roots); });
  if (!zygote) return std::unexpected(std::move(zygote.error()));
  auto daemon = Daemon::create(options, *config, std::move(*zygote));
  if (!daemon) return std::unexpected(std::move(daemon.error()));
  return (*daemon)->run();
}

}  // namespace volgrow::agent
