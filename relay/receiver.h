// SPDX-License-Identifier: Apache-2.0
// The HTTP face: looks like the part of Nova's API that takes external events, to whoever shows a
// token. Remembers nothing but the requests under way.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "http/server.h"
#include "relay/announcement.h"
#include "relay/config.h"
#include "relay/nova_events.h"
#include "relay/secrets.h"

namespace volgrow::relay {

class Receiver {
 public:
  struct Needs {
    const Clock& clock;
    const Config& config;
    const Secrets& secrets;  ///< may change meanwhile
    ControlPlane& control;
    bus::AsyncClient& agent;
    Log& log;
  };

  explicit Receiver(Needs needs) : needs_(needs) {}

  /// For http::OnRequest.
  void take(http::Request request, http::Answer answer);
  std::size_t under_way() const { return under_way_.size(); }

 private:
  class Visit;
  using Events = std::vector<Event>;

  void take_events(const http::Request& request, Visit visit);
  void announce(Events events, Visit visit);

  Needs needs_;
  std::list<std::unique_ptr<Announcement>> under_way_;
};

}  // namespace volgrow::relay
