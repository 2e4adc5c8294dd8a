// SPDX-License-Identifier: Apache-2.0
// os-services, os-hosts, os-availability-zone: one scheduler, which is this program, and a volume
// service for each back end.
#include "control/rest/services.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/cinder_words.h"
#include "control/rest/paging.h"
#include "control/rest/parameter_types.h"
#include "control/rest/schema.h"

namespace volgrow::control::rest {
namespace {

struct Service {
  std::string binary;
  std::string host;
  std::optional<WallTime> seen;  ///< absent while it is down
};

std::vector<Service> services_of(const Workplace& work) {
  std::vector<Service> services{{"cinder-scheduler", work.config.host, work.clock.wall()}};
  for (const auto& backend : work.config.backends.backends) {
    const auto pool = work.pools.find(backend.name);
    services.push_back({"cinder-volume", fmt::format("{}@{}", work.config.host, backend.name),
                        pool ? std::optional(pool->asked_at) : std::nullopt});
  }
  return services;
}

Value time_or_null(const std::optional<WallTime>& time) {
  return time ? Value(cinder_time(*time)) : Value();
}

Value shown(const Workplace& work, const Call& call, const Service& service) {
  const bool volumes = service.binary == "cinder-volume";
  const auto* state = service.seen ? "up" : "down";
  Value::Object object{{"binary", service.binary},
                       {"host", service.host},
                       {"zone", work.config.availability_zone},
                       {"status", "enabled"},
                       {"state", state},
                       {"updated_at", time_or_null(service.seen)}};
  if (volumes && call.version >= Version{3, 49}) object.emplace_back("backend_state", state);
  if (call.version >= Version{3, 7}) object.emplace_back("cluster", nullptr);
  object.emplace_back("disabled_reason", nullptr);
  if (!volumes) return object;
  object.emplace_back("replication_status", "disabled");
  object.emplace_back("active_backend_id", nullptr);
  object.emplace_back("frozen", false);
  return object;
}

Outcome<Content> list(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:services:index";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  const auto* host = call.parameter("host");
  const auto* binary = call.parameter("binary");
  Value::Array services;
  for (const auto& service : services_of(work)) {
    const bool of_host =
        host == nullptr || service.host == *host || service.host.starts_with(*host + "@");
    if (of_host && (binary == nullptr || service.binary == *binary))
      services.push_back(shown(work, call, service));
  }
  return Content{.body = Value::Object{{"services", std::move(services)}}};
}

// ---- enabling and disabling ----

Schema change_schema() {
  using keyword::Type;
  return {type(Type::object),
          properties({{"binary", parameter::short_text()},
                      {"host", parameter::cinder_host()},
                      {"cluster", parameter::nullable_string()},
                      {"service", parameter::short_text()},
                      {"disabled_reason", parameter::short_text()}}),
          any_of({{required({"binary"})}, {required({"service"})}}), no_others()};
}

std::string text_of(const Value& body, std::string_view key) {
  const auto* value = body.find(key);
  return value == nullptr || value->text() == nullptr ? std::string() : *value->text();
}

Outcome<Content> change(const Workplace& work, const Call& call) {
  static const Schema schema = change_schema();
  constexpr auto rule = "volume_extension:services:update";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  const auto& action = call.at("id");
  const bool enables = action == "enable";
  if (!enables && action != "disable" && action != "disable-log-reason")
    return invalid_input("Unknown action");
  if (auto valid = check(schema, call.body); !valid) return fault_of(valid);
  const auto host = text_of(*call.body, "host");
  const auto binary = text_of(*call.body, "binary");
  const auto service = text_of(*call.body, "service");
  if (host.empty()) return invalid_input("Host field is missing.");
  const auto name = binary.empty() ? service : binary;
  const auto all = services_of(work);
  const auto there = std::ranges::any_of(
      all, [&](const auto& one) { return one.binary == name && one.host == host; });
  if (!there)
    return not_found(fmt::format("Service {} could not be found on host {}.", name, host));
  if (!enables)
    return std::unexpected(
        Fault{501, "Services cannot be disabled here; take the [[backend]] out of control.toml.",
              std::nullopt});
  return Content{.body = Value::Object{{"disabled", false},
                                       {"host", host},
                                       {"service", service},
                                       {"binary", binary},
                                       {"status", "enabled"}}};
}

// ---- hosts and zones ----

Outcome<Content> list_hosts(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:hosts";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  Value::Array hosts;
  for (const auto& service : services_of(work))
    hosts.emplace_back(Value::Object{{"host_name", service.host},
                                     {"service", service.binary},
                                     {"zone", work.config.availability_zone},
                                     {"service-status", service.seen ? "available" : "unavailable"},
                                     {"service-state", "enabled"},
                                     {"last-update", time_or_null(service.seen)}});
  return Content{.body = Value::Object{{"hosts", std::move(hosts)}}};
}

Outcome<Content> list_zones(const Workplace& work, const Call& /*call*/) {
  Value::Object zone{{"zoneName", work.config.availability_zone},
                     {"zoneState", Value::Object{{"available", true}}}};
  return Content{.body = Value::Object{{"availabilityZoneInfo", Value::Array{std::move(zone)}}}};
}

}  // namespace

void add_services(Api& api, const Workplace& work) {
  api.add(Route{"GET", "os-services", at(work, list)});
  api.add(Route{"PUT", "os-services/{id}", at(work, change)});
  api.add(Route{"GET", "os-hosts", at(work, list_hosts)});
  api.add(Route{"GET", "os-availability-zone", at(work, list_zones)});
}

}  // namespace volgrow::control::rest
