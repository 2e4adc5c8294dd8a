// SPDX-License-Identifier: Apache-2.0
// A client with no manners: any method, any arguments, and it reads answers only when told to.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dbus/server.h"

namespace volgrow::bus {

inline constexpr const char* manager_interface = "org.volgrow.Agent1.Manager";
inline constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

class RawClient {
 public:
  using Properties = std::map<std::string, sdbus::Variant>;

  explicit RawClient(const std::string& address)
      : connection_(sdbus::createSessionBusConnectionWithAddress(address)) {}

  sdbus::IConnection& connection() { return *connection_; }

  /// "" when the call was answered, else the error's name.
  template <class... Arguments>
  std::string call(const std::string& path, const std::string& interface, const std::string& method,
                   const Arguments&... arguments) {
    return error_of(path, interface, method, arguments...).first;
  }

  /// The error's name and message; both empty when the call was answered.
  template <class... Arguments>
  std::pair<std::string, std::string> error_of(const std::string& path,
                                               const std::string& interface,
                                               const std::string& method,
                                               const Arguments&... arguments) {
    try {
      ask(path, interface, method, arguments...);
      return {};
    } catch (const sdbus::Error& error) {
      return {error.getName(), error.getMessage()};
    }
  }

  template <class... Arguments>
  sdbus::MethodReply ask(const std::string& path, const std::string& interface,
                         const std::string& method, const Arguments&... arguments) {
    const auto proxy = sdbus::createProxy(*connection_, service_name, path);
    auto message = proxy->createMethodCall(interface, method);
    static_cast<void>((message << ... << arguments));
    return proxy->callMethod(message);
  }

  /// Sends without reading anything, neither now nor later.
  template <class... Arguments>
  void throw_at(const std::string& path, const std::string& interface, const std::string& method,
                bool wants_reply, const Arguments&... arguments) {
    const auto proxy = sdbus::createProxy(*connection_, service_name, path);
    auto message = proxy->createMethodCall(interface, method);
    static_cast<void>((message << ... << arguments));
    if (!wants_reply) {
      message.dontExpectReply();
      proxy->callMethod(message);
      return;
    }
    unread_.push_back(sdbus::createProxy(*connection_, service_name, path));
    unread_.back()->callMethod(message, [](sdbus::MethodReply&, const sdbus::Error*) {});
  }

 private:
  std::unique_ptr<sdbus::IConnection> connection_;
  std::vector<std::unique_ptr<sdbus::IProxy>> unread_;
};

}  // namespace volgrow::bus
