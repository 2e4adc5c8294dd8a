// SPDX-License-Identifier: Apache-2.0
// From a request to events, and from verdicts to an answer.
#include "relay/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "core/target.h"
#include "core/text.h"
#include "core/uuid.h"
#include "relay/nova_documents.h"
#include "relay/nova_fault.h"
#include "relay/nova_version.h"

namespace volgrow::relay {
namespace {

using Verdicts = std::map<std::string, EventVerdict, std::less<>>;

/// oslo.middleware's request ids: who passes one on names the request that started it all.
std::string global_request_id(const http::Fields& fields) {
  constexpr std::string_view prefix = "req-";
  const auto* const given = fields.find("X-Openstack-Request-Id");
  if (!given || !given->starts_with(prefix)) return {};
  return is_uuid(std::string_view(*given).substr(prefix.size())) ? *given : std::string();
}

/// What webob and Nova read as JSON.
bool may_be_json(const http::Fields& fields) {
  const auto* const field = fields.find("Content-Type");
  if (!field) return true;
  const auto type = std::string_view(*field).substr(0, field->find(';'));
  constexpr std::array<std::string_view, 4> known{"", "text/plain", "application/json",
                                                  "application/vnd.openstack.compute+json"};
  return std::ranges::find(known, type) != known.end();
}

bool names_volume(const Event& event) {
  return event.name == volume_extended && event.tag && is_volume_id(*event.tag);
}

/// Each volume once, however many instances have it.
std::vector<std::string> volumes_of(const std::vector<Event>& events) {
  std::vector<std::string> volumes;
  for (const auto& event : events)
    if (names_volume(event) && std::ranges::find(volumes, *event.tag) == volumes.end())
      volumes.push_back(*event.tag);
  return volumes;
}

EventVerdict verdict_for(const Event& event, const Verdicts& of_volumes) {
  if (names_volume(event)) return of_volumes.at(*event.tag);
  if (event.name != volume_extended)
    return {422, fmt::format("this receiver takes {} and no other event", volume_extended)};
  return event.tag ? EventVerdict{404, {}} : EventVerdict{400, {}};
}

std::vector<EventVerdict> verdicts_for(const std::vector<Event>& events,
                                       const std::vector<std::string>& volumes,
                                       const std::vector<EventVerdict>& of_volumes) {
  Verdicts known;
  for (std::size_t i = 0; i < volumes.size(); ++i)
    known.emplace(volumes[i], of_volumes.at(i));
  std::vector<EventVerdict> verdicts;
  for (const auto& event : events)
    verdicts.push_back(verdict_for(event, known));
  return verdicts;
}

http::Response answer_to(std::vector<Event> events, const std::vector<std::string>& volumes,
                         const Result<std::vector<EventVerdict>>& outcome) {
  if (!outcome) return answer_of(NovaFault{503, outcome.error().message});
  const auto verdicts = verdicts_for(events, volumes, *outcome);
  return answer_of(std::move(events), verdicts);
}

}  // namespace

/// One request and the right to answer it, with what every answer says of itself.
class Receiver::Visit {
 public:
  Visit(const http::Request& request, http::Answer answer, Log& log)
      : request_id(fmt::format("req-{}", new_uuid())),
        global_request_id(relay::global_request_id(request.fields)),
        what_(
            fmt::format("{} {} from {}", cited(request.method), cited(request.path), request.peer)),
        answer_(std::move(answer)),
        log_(&log) {}

  void version(NovaVersion version) { version_ = version; }

  void give(http::Response response) {
    const bool good = response.status < 400;
    log_->write(good ? LogLevel::debug : LogLevel::warning,
                fmt::format("{}: {}", what_, response.status),
                {{field::request, request_id}, {field::global_request, global_request_id}});
    if (version_) add_version(response, *version_);
    response.fields.add("X-Openstack-Request-Id", request_id);
    response.fields.add("X-Compute-Request-Id", request_id);
    answer_(std::move(response));
  }
  void give(const NovaFault& fault) { give(relay::answer_of(fault)); }

  std::string request_id;
  std::string global_request_id;

 private:
  std::string what_;
  http::Answer answer_;
  Log* log_;
  std::optional<NovaVersion> version_;
};

void Receiver::take(http::Request request, http::Answer answer) {
  Visit visit(request, std::move(answer), needs_.log);
  const auto segments = http::path_segments(request.path);
  const auto* const host = request.fields.find("Host");
  const auto url = fmt::format("{}://{}", needs_.config.certificate.empty() ? "http" : "https",
                               host ? *host : needs_.config.address);
  const bool asks = request.method == "GET";
  if (asks && request.path == "/") return visit.give(versions_document(url));
  if (!may_enter(needs_.secrets, request.fields))
    return visit.give(NovaFault{401, "The request you have made requires authentication."});
  if (asks && (request.path == "/v2.1" || request.path == "/v2.1/"))
    return visit.give(version_document(url));
  if (request.method == "POST" && segments.back() == "os-server-external-events")
    return take_events(request, std::move(visit));
  visit.give(no_such_resource());
}

void Receiver::take_events(const http::Request& request, Visit visit) {
  const auto version = version_asked(request.fields);
  if (!version) {
    if (version.error().asked) visit.version(*version.error().asked);
    return visit.give(version.error().fault);
  }
  visit.version(*version);
  if (!may_be_json(request.fields)) return visit.give(NovaFault{415, "Unsupported Content-Type"});
  auto events = parse_events(request.body, *version);
  if (!events) return visit.give(events.error());
  if (under_way_.size() >= needs_.config.most_at_once)
    return visit.give(NovaFault{503, "Too many events are under way; try again."});
  announce(std::move(*events), std::move(visit));
}

void Receiver::announce(Events events, Visit visit) {
  Announcement::Order order{volumes_of(events), visit.request_id, visit.global_request_id,
                            within(needs_.config.event_time, needs_.clock.now())};
  const auto place = under_way_.insert(under_way_.end(), nullptr);
  auto then = [this, place, volumes = order.volumes, events = std::move(events),
               visit = std::move(visit)](auto outcome) mutable {
    visit.give(answer_to(std::move(events), volumes, outcome));
    under_way_.erase(place);
  };
  *place =
      std::make_unique<Announcement>(Announcement::Needs{needs_.control, needs_.agent, needs_.log},
                                     std::move(order), std::move(then));
  (*place)->start();
}

}  // namespace volgrow::relay
