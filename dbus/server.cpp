// SPDX-License-Identifier: Apache-2.0
// The server half over sdbus-c++: objects generated from the contract, calls taken down while
// sd-bus dispatches and served right after, the connection pumped by our event loop. No rights are
// judged here; the bus policy and the AgentService do that.
#include "dbus/server.h"

#include <agent1_adaptor.h>
#include <fmt/format.h>
#include <sdbus-c++/sdbus-c++.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "dbus/bus_pump.h"
#include "dbus/callers.h"
#include "dbus/object_path.h"
#include "dbus/options.h"

namespace volgrow::bus {
namespace {

namespace contract = ::org::volgrow::Agent1;
using Variants = std::map<std::string, sdbus::Variant>;
using WirePath = sdbus::Struct<std::string, std::string, std::uint64_t, std::string>;
using WireReport = sdbus::Struct<std::uint64_t, std::string>;

constexpr std::size_t longest_subject = std::size_t{256} << 10;
constexpr std::size_t longest_name = 4096;
constexpr std::size_t most_targets = 16384;
constexpr std::size_t most_sequences = 65536;
// The bus cuts the connection of whoever sends more than max_message_size (32 MiB).
constexpr std::size_t largest_report_batch = std::size_t{8} << 20;

Error error_from(const sdbus::Error& error, std::string_view action) {
  return Error{error_code_of_dbus(error.getName()),
               fmt::format("{}: {}", action, printable(error.getMessage())),
               {},
               0};
}

// printable(): a message that is not UTF-8 would cost us the connection.
sdbus::Error to_wire(const Error& error) {
  return sdbus::Error(dbus_name_of(error.code), printable(error.message));
}

/// Sending fails only when the connection is lost or its queue is full, and then there is nobody to
/// tell: the pump sees the loss, a caller its own time-out.
template <class Send>
void send_if_possible(Send send) {
  try {
    send();
  } catch (const sdbus::Error&) {
  }
}

// ---- arguments ----------------------------------------------------------------------------------
// Bad arguments leave a method as sdbus::Error, which sdbus-c++ turns into the reply.

template <class T>
T accepted(Result<T> result) {
  if (!result) throw to_wire(result.error());
  return std::move(*result);
}

void refuse_longer_than(std::size_t limit, std::string_view argument, const std::string& text) {
  if (text.size() <= limit) return;
  throw to_wire(Error{
      ErrorCode::invalid_args,
      fmt::format("{} is {} bytes long, at most {} are accepted", argument, text.size(), limit),
      {},
      0});
}

void refuse_more_than(std::size_t limit, std::string_view argument, std::size_t count) {
  if (count <= limit) return;
  throw to_wire(
      Error{ErrorCode::invalid_args,
            fmt::format("{} has {} entries, at most {} are accepted", argument, count, limit),
            {},
            0});
}

OptionValue option_value(const sdbus::Variant& variant) {
  const auto type = variant.peekValueType();
  if (type == "s") return variant.get<std::string>();
  if (type == "u") return variant.get<std::uint32_t>();
  if (type == "b") return variant.get<bool>();
  if (type == "h") return PassedDescriptor{};
  return OtherType{type};
}

RequestOptions request_options(const Variants& variants) {
  Options options;
  for (const auto& [key, variant] : variants)
    options.emplace(key, option_value(variant));
  return accepted(parse_options(options));
}

// ---- answers ------------------------------------------------------------------------------------

void send(const sdbus::Result<>& to) {
  to.returnResults();
}
void send(const sdbus::Result<sdbus::ObjectPath>& to, JobId job) {
  to.returnResults(job_path(job));
}
void send(const sdbus::Result<sdbus::ObjectPath>& to, const std::string& volume_id) {
  to.returnResults(volume_path(volume_id));
}
void send(const sdbus::Result<std::string>& to, const std::string& json) {
  to.returnResults(json);
}
void send(const sdbus::Result<std::string, std::string>& to, const JobEnd& end) {
  to.returnResults(end.state, end.result_json);
}
void send(const sdbus::Result<std::vector<sdbus::ObjectPath>>& to, const std::vector<JobId>& jobs) {
  std::vector<sdbus::ObjectPath> paths;
  for (const auto job : jobs)
    paths.emplace_back(job_path(job));
  to.returnResults(paths);
}
/// As many as one message may carry; the caller asks again after it acknowledged these.
void send(const sdbus::Result<std::vector<WireReport>>& to,
          const std::vector<OutboxEntry>& entries) {
  std::vector<WireReport> reports;
  std::size_t size = 0;
  for (const auto& [sequence, json] : entries) {
    size += json.size();
    if (!reports.empty() && size > largest_report_batch) break;
    reports.emplace_back(sequence, json);
  }
  to.returnResults(reports);
}

/// The one answer to one call. It is kept by the OpenCalls of the server, so it may be given after
/// the caller or the server is gone, and then goes nowhere. Destroyed without being given, it tells
/// the caller that nobody will answer.
template <class... R>
class Answer {
 public:
  using Wire = sdbus::Result<R...>;

  Answer(const std::shared_ptr<OpenCalls>& calls, std::uint64_t number,
         const std::shared_ptr<Wire>& wire)
      : calls_(calls), wire_(wire), number_(number) {}
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    refuse(Error{ErrorCode::internal, "volgrowd dropped this call without an answer", {}, 0});
  }

  template <class... T>
  void give(const T&... values) {
    settle([&](const Wire& wire) { send(wire, values...); });
  }
  void refuse(const Error& error) {
    settle([&](const Wire& wire) { wire.returnError(to_wire(error)); });
  }

 private:
  void settle(const std::function<void(const Wire&)>& reply) {
    const auto calls = calls_.lock();
    const auto wire = std::exchange(wire_, {}).lock();
    if (!calls || !wire) return;
    calls->close(number_);
    send_if_possible([&] { reply(*wire); });
  }

  std::weak_ptr<OpenCalls> calls_;
  std::weak_ptr<Wire> wire_;
  std::uint64_t number_;
};

template <class T, class... R>
Reply<T> reply_through(Answer<R...> answer) {
  return [answer = std::move(answer)](Result<T> result) mutable {
    if (!result) return answer.refuse(result.error());
    if constexpr (std::is_void_v<T>)
      answer.give();
    else
      answer.give(*result);
  };
}

/// Takes calls down. The service is never called from inside sd-bus, so it may remove the very
/// object it is called through, and the bus daemon may be asked who the caller is.
class CallDesk {
 public:
  using Task = std::move_only_function<void()>;

  CallDesk(AgentService& service, BusDaemon& daemon) : service_(service), callers_(daemon) {}

  AgentService& service() { return service_; }

  template <class T, class... R, class Serve>
  void take(const sdbus::IObject& object, sdbus::Result<R...>&& result, Serve serve) {
    const auto sender = object.getCurrentlyProcessedMessage()->getSender();
    auto wire = std::make_shared<sdbus::Result<R...>>(std::move(result));
    const auto number = calls_->open(sender, wire);
    if (!number) return send_if_possible([&] { wire->returnError(to_wire(number.error())); });
    later([this, sender, answer = Answer<R...>(calls_, *number, wire),
           serve = std::move(serve)]() mutable {
      callers_.identify(sender, [answer = std::move(answer),
                                 serve = std::move(serve)](const Result<Caller>& caller) mutable {
        if (!caller) return answer.refuse(caller.error());
        serve(*caller, reply_through<T>(std::move(answer)));
      });
    });
  }

  void identified(std::string name, Result<Caller> caller) {
    later([this, name = std::move(name), caller = std::move(caller)] {
      callers_.identified(name, caller);
    });
  }

  void left(std::string name) {
    later([this, name = std::move(name)] {
      calls_->drop(name);
      callers_.left(name);
      service_.caller_left(name);
    });
  }

  void serve_all() {
    while (!agenda_.empty()) {
      auto task = std::move(agenda_.front());
      agenda_.pop_front();
      task();
    }
  }

 private:
  void later(Task task) { agenda_.push_back(std::move(task)); }

  AgentService& service_;
  std::shared_ptr<OpenCalls> calls_ = std::make_shared<OpenCalls>();
  Callers callers_;
  std::deque<Task> agenda_;
};

// ---- objects ------------------------------------------------------------------------------------

/// Names of the properties that differ, in the order they are noted.
class Changes {
 public:
  template <class T>
  Changes& compare(const char* property, const T& before, const T& now) {
    if (before != now) names_.emplace_back(property);
    return *this;
  }
  void announce(sdbus::IObject& object, const char* interface) const {
    if (names_.empty()) return;
    send_if_possible([&] { object.emitPropertiesChangedSignal(interface, names_); });
  }

 private:
  std::vector<std::string> names_;
};

class RootObject final
    : public sdbus::AdaptorInterfaces<contract::Manager_adaptor, contract::Outbox_adaptor,
                                      sdbus::ObjectManager_adaptor> {
 public:
  RootObject(sdbus::IConnection& connection, CallDesk& desk)
      : AdaptorInterfaces(connection, root_path), desk_(desk) {
    registerAdaptor();
  }
  ~RootObject() { unregisterAdaptor(); }

  void show(const ManagerProperties& next) {
    Changes changes;
    changes.compare("Stragglers", shown_.stragglers, next.stragglers)
        .compare("OutboxDepth", shown_.outbox_depth, next.outbox_depth)
        .compare("StuckWorkers", shown_.stuck_workers, next.stuck_workers)
        .compare("Multipathd", shown_.multipathd, next.multipathd);
    shown_ = next;
    changes.announce(getObject(), Manager_adaptor::INTERFACE_NAME);
  }

 private:
  void VolumeChanged(sdbus::Result<sdbus::ObjectPath>&& result, std::string volume_id,
                     std::uint64_t expected_bytes, Variants variants) override {
    refuse_longer_than(longest_name, "volume_id", volume_id);
    take<JobId>(std::move(result),
                [this, volume_id = std::move(volume_id), expected = Bytes(expected_bytes),
                 options = request_options(variants)](const Caller& caller, auto reply) {
                  desk_.service().volume_changed(caller, volume_id, expected, options,
                                                 std::move(reply));
                });
  }

  void Extend(sdbus::Result<sdbus::ObjectPath>&& result, std::string subject,
              std::uint64_t expected_bytes, Variants variants) override {
    refuse_longer_than(longest_subject, "subject", subject);
    take<JobId>(std::move(result),
                [this, subject = std::move(subject), expected = Bytes(expected_bytes),
                 options = request_options(variants)](const Caller& caller, auto reply) {
                  desk_.service().extend(caller, subject, expected, options, std::move(reply));
                });
  }

  void Plan(sdbus::Result<std::string>&& result, std::string subject, std::uint64_t expected_bytes,
            Variants variants) override {
    refuse_longer_than(longest_subject, "subject", subject);
    take<std::string>(std::move(result),
                      [this, subject = std::move(subject), expected = Bytes(expected_bytes),
                       options = request_options(variants)](const Caller& caller, auto reply) {
                        desk_.service().plan(caller, subject, expected, options, std::move(reply));
                      });
  }

  void Explain(sdbus::Result<std::string>&& result, std::string subject,
               Variants variants) override {
    refuse_longer_than(longest_subject, "subject", subject);
    take<std::string>(std::move(result),
                      [this, subject = std::move(subject), options = request_options(variants)](
                          const Caller& caller, auto reply) {
                        desk_.service().explain(caller, subject, options, std::move(reply));
                      });
  }

  void Rescan(sdbus::Result<std::vector<sdbus::ObjectPath>>&& result,
              std::vector<std::string> targets, Variants variants) override {
    refuse_more_than(most_targets, "targets", targets.size());
    for (const auto& target : targets)
      refuse_longer_than(longest_name, "a target", target);
    take<std::vector<JobId>>(
        std::move(result), [this, targets = std::move(targets),
                            options = request_options(variants)](const Caller& caller, auto reply) {
          desk_.service().rescan(caller, targets, options, std::move(reply));
        });
  }

  void Register(sdbus::Result<sdbus::ObjectPath>&& result, std::string volume_id,
                std::string connection_info, Variants variants) override {
    refuse_longer_than(longest_name, "volume_id", volume_id);
    refuse_longer_than(longest_subject, "connection_info", connection_info);
    take<std::string>(
        std::move(result),
        [this, volume_id = std::move(volume_id), connection_info = std::move(connection_info),
         options = request_options(variants)](const Caller& caller, auto reply) {
          desk_.service().register_volume(caller, volume_id, connection_info, options,
                                          std::move(reply));
        });
  }

  void Unregister(sdbus::Result<>&& result, std::string volume_id, Variants variants) override {
    refuse_longer_than(longest_name, "volume_id", volume_id);
    take<void>(std::move(result),
               [this, volume_id = std::move(volume_id), options = request_options(variants)](
                   const Caller& caller, auto reply) {
                 desk_.service().unregister_volume(caller, volume_id, options, std::move(reply));
               });
  }

  void List(sdbus::Result<std::vector<WireReport>>&& result, std::uint32_t max) override {
    take<std::vector<OutboxEntry>>(std::move(result),
                                   [this, max](const Caller& caller, auto reply) {
                                     desk_.service().list_outbox(caller, max, std::move(reply));
                                   });
  }

  void Acknowledge(sdbus::Result<>&& result, std::vector<std::uint64_t> sequences) override {
    refuse_more_than(most_sequences, "sequences", sequences.size());
    take<void>(std::move(result),
               [this, sequences = std::move(sequences)](const Caller& caller, auto reply) {
                 desk_.service().acknowledge(caller, sequences, std::move(reply));
               });
  }

  std::string Version() override { return printable(shown_.version); }
  std::uint32_t Stragglers() override { return shown_.stragglers; }
  std::uint32_t OutboxDepth() override { return shown_.outbox_depth; }
  std::uint32_t StuckWorkers() override { return shown_.stuck_workers; }
  std::string Multipathd() override { return printable(shown_.multipathd); }

  template <class T, class... R, class Serve>
  void take(sdbus::Result<R...>&& result, Serve serve) {
    desk_.take<T>(getObject(), std::move(result), std::move(serve));
  }

  CallDesk& desk_;
  ManagerProperties shown_;
};

class VolumeObject final
    : public sdbus::AdaptorInterfaces<contract::Volume_adaptor, sdbus::ManagedObject_adaptor> {
 public:
  VolumeObject(sdbus::IConnection& connection, const VolumeView& volume)
      : AdaptorInterfaces(connection, volume_path(volume.id)), shown_(volume) {
    registerAdaptor();
    send_if_possible([this] { emitInterfacesAddedSignal(); });
  }
  ~VolumeObject() {
    send_if_possible([this] { emitInterfacesRemovedSignal(); });
    unregisterAdaptor();
  }

  void show(const VolumeView& next) {
    Changes changes;
    changes.compare("Wwid", shown_.wwid, next.wwid)
        .compare("Kind", shown_.kind, next.kind)
        .compare("Device", shown_.device, next.device)
        .compare("Size", shown_.size, next.size)
        .compare("TargetSize", shown_.target_size, next.target_size)
        .compare("State", shown_.state, next.state)
        .compare("Paths", shown_.paths, next.paths)
        .compare("LastJob", shown_.last_job, next.last_job);
    shown_ = next;
    changes.announce(getObject(), Volume_adaptor::INTERFACE_NAME);
  }

 private:
  std::string Id() override { return printable(shown_.id); }
  std::string Wwid() override { return printable(shown_.wwid); }
  std::string Kind() override { return printable(shown_.kind); }
  std::string Device() override { return printable(shown_.device); }
  std::uint64_t Size() override { return shown_.size.count(); }
  std::uint64_t TargetSize() override { return shown_.target_size.count(); }
  std::string State() override { return std::string(name_of(shown_.state)); }
  std::vector<WirePath> Paths() override {
    std::vector<WirePath> paths;
    for (const auto& path : shown_.paths)
      paths.emplace_back(printable(path.device), printable(path.endpoint), path.size.count(),
                         printable(path.state));
    return paths;
  }
  sdbus::ObjectPath LastJob() override {
    return shown_.last_job == 0 ? std::string("/") : job_path(shown_.last_job);
  }

  VolumeView shown_;
};

class JobObject final
    : public sdbus::AdaptorInterfaces<contract::Job_adaptor, sdbus::ManagedObject_adaptor> {
 public:
  JobObject(sdbus::IConnection& connection, CallDesk& desk, const JobView& job)
      : AdaptorInterfaces(connection, job_path(job.id)), desk_(desk), shown_(job) {
    registerAdaptor();
    send_if_possible([this] { emitInterfacesAddedSignal(); });
  }
  ~JobObject() {
    send_if_possible([this] { emitInterfacesRemovedSignal(); });
    unregisterAdaptor();
  }

  void show(const JobView& next) {
    Changes changes;
    changes.compare("VolumeId", shown_.volume_id, next.volume_id)
        .compare("State", shown_.state, next.state)
        .compare("Phase", shown_.phase, next.phase)
        .compare("Result", shown_.result_json, next.result_json)
        .compare("ErrorName", shown_.error_name, next.error_name)
        .compare("ErrorMessage", shown_.error_message, next.error_message);
    shown_ = next;
    changes.announce(getObject(), Job_adaptor::INTERFACE_NAME);
  }

 private:
  void Wait(sdbus::Result<std::string, std::string>&& result, std::uint32_t timeout_ms) override {
    desk_.take<JobEnd>(
        getObject(), std::move(result),
        [&service = desk_.service(), id = shown_.id,
         timeout = std::chrono::milliseconds(timeout_ms)](const Caller& caller, auto reply) {
          service.wait(caller, id, timeout, std::move(reply));
        });
  }

  // No option means anything to Cancel yet; the known ones are accepted, as everywhere.
  void Cancel(sdbus::Result<>&& result, Variants variants) override {
    request_options(variants);
    desk_.take<void>(
        getObject(), std::move(result),
        [&service = desk_.service(), id = shown_.id](const Caller& caller, auto reply) {
          service.cancel(caller, id, std::move(reply));
        });
  }

  std::uint32_t Id() override { return shown_.id; }
  std::string Operation() override { return std::string(name_of(shown_.operation)); }
  std::string VolumeId() override { return printable(shown_.volume_id); }
  std::string State() override { return std::string(name_of(shown_.state)); }
  std::string Phase() override { return printable(shown_.phase); }
  std::string Result() override { return shown_.result_json; }  // our own codec writes UTF-8
  std::string ErrorName() override { return printable(shown_.error_name); }
  std::string ErrorMessage() override { return printable(shown_.error_message); }
  std::uint32_t StartedByUid() override { return shown_.started_by_uid; }
  std::uint64_t StartedAt() override {
    return static_cast<std::uint64_t>(shown_.started_at.time_since_epoch().count());
  }

  CallDesk& desk_;
  JobView shown_;
};

// ---- the connection -----------------------------------------------------------------------------

constexpr const char* driver_name = "org.freedesktop.DBus";

/// Asks the bus daemon about other connections. sd-bus could fill in credentials itself, but reads
/// them from /proc, where a process may have become somebody else since it called.
class Driver final : public BusDaemon {
 public:
  using OnLeft = std::function<void(std::string)>;
  using OnIdentified = std::function<void(std::string, Result<Caller>)>;

  Driver(sdbus::IConnection& connection, OnIdentified on_identified, OnLeft on_left)
      : connection_(connection),
        proxy_(sdbus::createProxy(connection, driver_name, "/org/freedesktop/DBus")),
        on_identified_(std::move(on_identified)),
        on_left_(std::move(on_left)) {}

  Result<void> watch(const std::string& name) override {
    const auto rule = fmt::format(
        "type='signal',sender='{}',interface='{}',member='NameOwnerChanged',arg0='{}',arg2=''",
        driver_name, driver_name, name);
    try {
      watched_.insert_or_assign(
          name, connection_.addMatch(rule, [this, name](sdbus::Message&) { on_left_(name); }));
      return {};
    } catch (const sdbus::Error& error) {
      return std::unexpected(error_from(error, "watch the caller's connection"));
    }
  }

  void stop_watching(const std::string& name) override { watched_.erase(name); }

  void ask_credentials(const std::string& name) override {
    try {
      proxy_->callMethodAsync("GetConnectionCredentials")
          .onInterface(driver_name)
          .withArguments(name)
          .uponReplyInvoke([this, name](const sdbus::Error* error, const Variants& credentials) {
            on_identified_(name, caller_of(name, error, credentials));
          });
    } catch (const sdbus::Error& error) {
      on_identified_(name, caller_of(name, &error, {}));
    }
  }

 private:
  static std::unexpected<Error> not_vouched_for(const std::string& name, std::string_view why) {
    return failure(ErrorCode::not_authorized,
                   fmt::format("the bus does not say who {} is: {}", name, printable(why)));
  }

  static Result<Caller> caller_of(const std::string& name, const sdbus::Error* error,
                                  const Variants& credentials) {
    if (error != nullptr) return not_vouched_for(name, error->getMessage());
    try {
      Caller caller{name, credentials.at("UnixUserID").get<std::uint32_t>(), {}};
      if (const auto groups = credentials.find("UnixGroupIDs"); groups != credentials.end())
        caller.groups = groups->second.get<std::vector<std::uint32_t>>();
      return caller;
    } catch (const std::exception& unexpected) {
      return not_vouched_for(name, unexpected.what());
    }
  }

  sdbus::IConnection& connection_;
  std::unique_ptr<sdbus::IProxy> proxy_;
  OnIdentified on_identified_;
  OnLeft on_left_;
  std::map<std::string, sdbus::Slot> watched_;
};

class BusServer final : public Server {
 public:
  BusServer(EventLoop& loop, std::unique_ptr<sdbus::IConnection> connection, AgentService& service)
      : connection_(std::move(connection)),
        driver_(
            *connection_,
            [this](std::string name, Result<Caller> caller) {
              desk_.identified(std::move(name), std::move(caller));
            },
            [this](std::string name) { desk_.left(std::move(name)); }),
        desk_(service, driver_),
        root_(*connection_, desk_),
        lost_([&loop] { loop.exit(EXIT_FAILURE); }),
        pump_(loop, *connection_, {[this] { desk_.serve_all(); }, [this] { lost_(); }}) {}

  Result<void> start() { return pump_.start(); }

  void on_lost(std::function<void()> lost) override { lost_ = std::move(lost); }

  Result<void> own_name() override {
    try {
      connection_->requestName(service_name);
      return {};
    } catch (const sdbus::Error& error) {
      return failure(ErrorCode::unreachable,
                     fmt::format("cannot own {} on this bus: {} (is another volgrowd running, and "
                                 "is the bus policy org.volgrow.Agent1.conf installed?)",
                                 service_name, printable(error.getMessage())));
    }
  }

  void show(const VolumeView& volume) override {
    if (const auto known = volumes_.find(volume.id); known != volumes_.end())
      return known->second->show(volume);
    volumes_.emplace(volume.id, std::make_unique<VolumeObject>(*connection_, volume));
  }

  void show(const JobView& job) override {
    if (const auto known = jobs_.find(job.id); known != jobs_.end())
      return known->second->show(job);
    jobs_.emplace(job.id, std::make_unique<JobObject>(*connection_, desk_, job));
  }

  void show(const ManagerProperties& manager) override { root_.show(manager); }
  void hide_volume(const std::string& id) override { volumes_.erase(id); }
  void hide_job(JobId id) override { jobs_.erase(id); }

  void announce_job_new(JobId id) override {
    send_if_possible([&] { root_.emitJobNew(id, job_path(id)); });
  }
  void announce_job_removed(JobId id, JobState state) override {
    send_if_possible([&] { root_.emitJobRemoved(id, job_path(id), std::string(name_of(state))); });
  }
  void announce_volume_resized(const std::string& id, Bytes before, Bytes after,
                               Origin origin) override {
    send_if_possible([&] {
      root_.emitVolumeResized(printable(id), before.count(), after.count(),
                              std::string(name_of(origin)));
    });
  }

 private:
  std::unique_ptr<sdbus::IConnection> connection_;
  Driver driver_;
  CallDesk desk_;
  RootObject root_;
  std::unordered_map<std::string, std::unique_ptr<VolumeObject>> volumes_;
  std::unordered_map<JobId, std::unique_ptr<JobObject>> jobs_;
  std::function<void()> lost_;
  BusPump pump_;
};

std::unique_ptr<sdbus::IConnection> open_bus(const std::string& address) {
  if (address.empty()) return sdbus::createSystemBusConnection();
  return sdbus::createSessionBusConnectionWithAddress(address);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::connect(EventLoop& loop, const std::string& address,
                                                AgentService& service) {
  try {
    auto server = std::make_unique<BusServer>(loop, open_bus(address), service);
    if (auto started = server->start(); !started) return std::unexpected(started.error());
    return server;
  } catch (const sdbus::Error& error) {
    return failure(ErrorCode::unreachable,
                   fmt::format("cannot reach the {} bus: {}", address.empty() ? "system" : address,
                               printable(error.getMessage())));
  }
}

}  // namespace volgrow::bus
