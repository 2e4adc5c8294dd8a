// SPDX-License-Identifier: Apache-2.0
// Asynchronous calls of sdbus-c++. Replies are taken down while sd-bus dispatches and handed out
// right after, so that who gets one may do anything; a lost connection ends the calls it carried,
// because sd-bus itself answers them then.
#include "dbus/async_client.h"

#include <agent1_proxy.h>
#include <fmt/format.h>
#include <sdbus-c++/sdbus-c++.h>

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "core/backoff.h"
#include "core/text.h"
#include "dbus/bus_pump.h"
#include "dbus/call_error.h"
#include "dbus/object_path.h"
#include "dbus/server.h"

namespace volgrow::bus {
namespace {

namespace contract = ::org::volgrow::Agent1;
using Variants = std::map<std::string, sdbus::Variant>;
using WireReport = sdbus::Struct<std::uint64_t, std::string>;

Error from_wire(const sdbus::Error& error) {
  return error_of_call(error.getName(), printable(error.getMessage()));
}

std::unique_ptr<sdbus::IConnection> open_bus(const std::string& address) {
  if (address.empty()) return sdbus::createSystemBusConnection();
  return sdbus::createSessionBusConnectionWithAddress(address);
}

Result<JobId> job_id(const sdbus::ObjectPath& path) {
  if (const auto id = job_at(path)) return *id;
  return failure(ErrorCode::internal,
                 fmt::format("volgrowd's answer is no job: {}", printable(path)));
}

Result<std::vector<OutboxEntry>> outbox_entries(const std::vector<WireReport>& reports) {
  std::vector<OutboxEntry> entries;
  for (const auto& report : reports)
    entries.emplace_back(report.get<0>(), report.get<1>());
  return entries;
}

/// Whether a PropertiesChanged of the Manager says that reports wait.
bool reports_wait(sdbus::Message& message) {
  std::string interface;
  Variants changed;
  message >> interface >> changed;
  const auto depth = changed.find("OutboxDepth");
  return depth != changed.end() && depth->second.get<std::uint32_t>() > 0;
}

/// Whether a NameOwnerChanged says that the name has an owner now.
bool owner_came(sdbus::Message& message) {
  std::string name;
  std::string before;
  std::string now;
  message >> name >> before >> now;
  return !now.empty();
}

/// One life of the connection.
class Link {
 public:
  Link(EventLoop& loop, const AsyncClient::Options& options, BusPump::Callbacks callbacks)
      : connection_(open_bus(options.address)),
        proxy_(sdbus::createProxy(*connection_, service_name, root_path)),
        pump_(loop, *connection_, std::move(callbacks)) {
    connection_->setMethodCallTimeout(options.first_retry);
  }

  Result<void> start() { return pump_.start(); }
  sdbus::IProxy& proxy() { return *proxy_; }

  /// `tells` what a signal means, which may be not the contract's; `then` when it is good news.
  void follow(const std::string& rule, bool (*tells)(sdbus::Message&), std::function<void()> then) {
    slots_.push_back(
        connection_->addMatch(rule, [tells, then = std::move(then)](sdbus::Message& message) {
          try {
            if (tells(message)) then();
          } catch (const sdbus::Error&) {
          }
        }));
  }

 private:
  std::unique_ptr<sdbus::IConnection> connection_;
  std::unique_ptr<sdbus::IProxy> proxy_;
  std::vector<sdbus::Slot> slots_;
  BusPump pump_;
};

class AsyncBusClient final : public AsyncClient {
 public:
  AsyncBusClient(EventLoop& loop, const Clock& clock, Options options)
      : loop_(loop), clock_(clock), options_(std::move(options)) {
    connect();
  }

  void volume_changed(const std::string& volume_id, Bytes expected, Deadline deadline,
                      Reply<JobId> reply) override {
    call<sdbus::ObjectPath>(contract::Manager_proxy::INTERFACE_NAME, "VolumeChanged", deadline,
                            std::move(reply), job_id, volume_id, expected.count(), Variants{});
  }

  void list_outbox(std::uint32_t max, Deadline deadline,
                   Reply<std::vector<OutboxEntry>> reply) override {
    call<std::vector<WireReport>>(contract::Outbox_proxy::INTERFACE_NAME, "List", deadline,
                                  std::move(reply), outbox_entries, max);
  }

  void acknowledge(const std::vector<std::uint64_t>& sequences, Deadline deadline,
                   Reply<void> reply) override {
    const auto kept = std::make_shared<Reply<void>>(std::move(reply));
    send(
        contract::Outbox_proxy::INTERFACE_NAME, "Acknowledge", deadline, kept,
        [this, kept](const sdbus::Error* error) {
          auto result = error ? Result<void>(std::unexpected(from_wire(*error))) : Result<void>();
          later([kept, result] { (*kept)(result); });
        },
        sequences);
  }

 private:
  /// `read` makes what came over the wire what the reply is for.
  template <class Wire, class T, class... Arguments>
  void call(const char* interface, const char* method, Deadline deadline, Reply<T> reply,
            Result<T> (*read)(const Wire&), const Arguments&... arguments) {
    const auto kept = std::make_shared<Reply<T>>(std::move(reply));
    send(
        interface, method, deadline, kept,
        [this, kept, read](const sdbus::Error* error, const Wire& wire) {
          later([kept, result = error ? std::unexpected(from_wire(*error)) : read(wire)]() mutable {
            (*kept)(std::move(result));
          });
        },
        arguments...);
  }

  template <class T, class OnReply, class... Arguments>
  void send(const char* interface, const char* method, Deadline deadline,
            const std::shared_ptr<Reply<T>>& reply, OnReply on_reply,
            const Arguments&... arguments) {
    const auto left = deadline.remaining(clock_.now());
    if (!connected_) return (*reply)(std::unexpected(unreachable_));
    if (left == Duration::zero())
      return (*reply)(failure(ErrorCode::unreachable, "there was no time left to ask volgrowd"));
    try {
      link_->proxy()
          .callMethodAsync(method)
          .onInterface(interface)
          .withTimeout(left)
          .withArguments(arguments...)
          .uponReplyInvoke(std::move(on_reply));
    } catch (const sdbus::Error& error) {
      (*reply)(failure(ErrorCode::unreachable,
                       fmt::format("cannot ask volgrowd: {}", printable(error.getMessage()))));
    }
  }

  void connect() {
    try {
      link_ = std::make_unique<Link>(
          loop_, options_,
          BusPump::Callbacks{[this] { hand_out(); }, [this] { give_up("it went away"); }});
      follow();
      if (auto started = link_->start(); !started) return give_up(started.error().message);
      connected_ = true;
      failures_ = 0;
      soon(TimePoint::min(), options_.on_outbox);
    } catch (const sdbus::Error& error) {
      give_up(error.getMessage());
    }
  }

  void follow() {
    const auto note = [this] { later(options_.on_outbox); };
    link_->follow(fmt::format("type='signal',sender='{}',path='{}',member='PropertiesChanged',"
                              "interface='org.freedesktop.DBus.Properties',arg0='{}'",
                              service_name, root_path, contract::Manager_proxy::INTERFACE_NAME),
                  reports_wait, note);
    link_->follow(fmt::format("type='signal',sender='org.freedesktop.DBus',arg0='{}',"
                              "interface='org.freedesktop.DBus',member='NameOwnerChanged'",
                              service_name),
                  owner_came, note);
  }

  /// May be called by the link's own pump, so the link lives until the next attempt. Its calls fail
  /// by themselves.
  void give_up(std::string_view why) {
    connected_ = false;
    unreachable_.message = fmt::format("cannot reach the {} bus: {}",
                                       options_.address.empty() ? "system" : options_.address, why);
    unreachable_.message = printable(unreachable_.message);
    // Less and less often, also because sdbus-c++ 1.2 leaks a little with every bus that it cannot
    // reach (tests/leaks.supp).
    const auto wait = backoff(++failures_, options_.first_retry, options_.slowest_retry, 1);
    soon(clock_.now() + wait, [this] { connect(); });
  }

  void soon(TimePoint when, EventLoop::Callback then) {
    if (auto watch = loop_.at(when, std::move(then))) soon_ = std::move(*watch);
  }

  void later(std::move_only_function<void()> task) { agenda_.push_back(std::move(task)); }
  void hand_out() {
    while (!agenda_.empty()) {
      auto task = std::move(agenda_.front());
      agenda_.pop_front();
      task();
    }
  }

  EventLoop& loop_;
  const Clock& clock_;
  const Options options_;
  std::deque<std::move_only_function<void()>> agenda_;
  Error unreachable_{ErrorCode::unreachable, {}, {}, 0};
  std::unique_ptr<Link> link_;
  bool connected_ = false;
  std::uint32_t failures_ = 0;  ///< in a row
  EventLoop::Watch soon_;       ///< the next attempt to connect, or what a new connection means
};

}  // namespace

std::unique_ptr<AsyncClient> AsyncClient::create(EventLoop& loop, const Clock& clock,
                                                 Options options) {
  return std::make_unique<AsyncBusClient>(loop, clock, std::move(options));
}

}  // namespace volgrow::bus
