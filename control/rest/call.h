// SPDX-License-Identifier: Apache-2.0
// One request to Cinder's API after everything that all of them have in common, and the right to
// answer it. What an operation is written against; HTTP is not seen here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/caller.h"
#include "control/fault.h"
#include "control/rest/microversion.h"
#include "core/value.h"
#include "http/message.h"

namespace volgrow::control::rest {

/// Where the client reached us, as links in answers begin.
struct Place {
  std::string root;     ///< "http://10.0.0.1:8776"
  std::string project;  ///< "/<project id>" when the URL has it, else empty

  bool operator==(const Place&) const = default;
};

struct Call {
  Caller caller;
  Version version;
  std::vector<std::pair<std::string_view, std::string>> path;  ///< what {…} of the route stood for
  http::Parameters query;
  /// The JSON document; absent when none came with a Content-Type that says so.
  std::optional<Value> body;
  Place place;

  /// What "{name}" of the route stood for; empty when it has none of that name.
  const std::string& at(std::string_view name) const {
    static const std::string none;
    for (const auto& [key, value] : path)
      if (key == name) return value;
    return none;
  }
  /// The last value of that key, as webob's MultiDict gives it; nullptr when it is not there.
  const std::string* parameter(std::string_view key) const {
    const std::string* last = nullptr;
    for (const auto& [name, value] : query)
      if (name == key) last = &value;
    return last;
  }
};

/// What an answer says. The fields that all answers have are added to it.
struct Content {
  int status = 200;
  std::optional<Value> body{};
  http::Fields fields{};
  /// As a webob.Response that Cinder makes by hand: text/html, although there is no text.
  bool by_hand = false;
  /// As Cinder's routes answer by themselves, without what its resources say besides.
  bool of_routes = false;

  bool operator==(const Content&) const = default;
};

/// The right to answer one call, once, now or later. It leaves when everything that was written to
/// the store before is durable. Dropped unused, it is a 500.
class Reply {
 public:
  using Deliver = std::move_only_function<void(Outcome<Content>)>;

  explicit Reply(Deliver deliver) : deliver_(std::move(deliver)) {}
  Reply(Reply&& other) noexcept : deliver_(std::exchange(other.deliver_, nullptr)) {}
  Reply& operator=(Reply&& other) noexcept {
    std::swap(deliver_, other.deliver_);
    return *this;
  }
  ~Reply() { give(server_fault()); }

  void operator()(Outcome<Content> outcome) { give(std::move(outcome)); }

 private:
  void give(Outcome<Content> outcome) {
    if (auto deliver = std::exchange(deliver_, nullptr)) deliver(std::move(outcome));
  }

  Deliver deliver_;
};

/// What a route does. Runs on the loop and must not block.
using Operation = std::function<void(Call, Reply)>;

/// The same for one that answers at once.
template <class Answering>
Operation at_once(Answering answering) {
  return
      [answering = std::move(answering)](const Call& call, Reply reply) { reply(answering(call)); };
}

}  // namespace volgrow::control::rest
