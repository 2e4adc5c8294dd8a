// SPDX-License-Identifier: Apache-2.0
// scheduler-stats/get_pools and capabilities: cinder/api/contrib/scheduler_stats.py,
// capabilities.py.
#include "control/pools.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/cinder_words.h"
#include "control/rest/new_volume.h"
#include "control/rest/paging.h"
#include "control/rest/services.h"

namespace volgrow::control::rest {
namespace {

constexpr Version filters{3, 28};
constexpr Version type_filter{3, 35};

/// From 3.31 on a filter that Cinder does not know is refused, also from an administrator.
Outcome<void> check_filters(const Call& call) {
  if (call.version < Version{3, 31}) return {};
  std::vector<std::string_view> unknown;
  for (const auto& [key, value] : call.query)
    if (key != "detail" && key != "name" && key != "volume_type") unknown.emplace_back(key);
  if (unknown.empty()) return {};
  return bad_request(
      fmt::format("Invalid filters {} are found in query options.", fmt::join(unknown, ",")));
}

/// Nothing when any type will do.
Outcome<std::optional<VolumeType>> type_asked(const Workplace& work, const Call& call) {
  const auto* name = call.parameter("volume_type");
  if (call.version < type_filter || name == nullptr) return std::nullopt;
  auto type = find_type(work, *name);
  if (!type) return fault_of(type);
  return std::optional(std::move(*type));
}

Outcome<Content> get_pools(const Workplace& work, const Call& call) {
  constexpr auto rule = "scheduler_extension:scheduler_stats:get_pools";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  auto detail = flag_asked(call, "detail");
  if (!detail) return fault_of(detail);
  if (auto known = check_filters(call); !known) return fault_of(known);
  auto type = type_asked(work, call);
  if (!type) return fault_of(type);
  const auto* wanted = call.version >= filters ? call.parameter("name") : nullptr;
  Value::Array pools;
  for (const auto& pool : work.pools.known()) {
    const auto name = cinder_host(work.config.host, pool.backend);
    if (wanted != nullptr && *wanted != name) continue;
    if (*type && !offers(pool, (*type)->extra_specs)) continue;
    Value::Object one{{"name", name}};
    if (*detail) one.emplace_back("capabilities", capabilities_of(pool));
    pools.emplace_back(std::move(one));
  }
  return Content{.body = Value::Object{{"pools", std::move(pools)}}};
}

Outcome<Content> capabilities(const Workplace& work, const Call& call) {
  constexpr auto rule = "volume_extension:capabilities";
  if (auto allowed = work.policy.require(rule, call.caller); !allowed) return fault_of(allowed);
  const auto& id = call.at("id");
  const auto at = id.find('@');
  const auto backend = at == std::string::npos ? "" : id.substr(at + 1, id.find('#') - at - 1);
  const auto pool = work.pools.find(backend);
  if (!pool || id.substr(0, at) != work.config.host)
    return not_found(fmt::format("Can't find service: {}", id));
  const auto property = [](const char* title, const char* description, bool value) {
    return Value::Object{
        {"title", title}, {"description", description}, {"type", "boolean"}, {"default", value}};
  };
  const bool in_use = pool->capabilities.in_use_extend;
  Value::Object properties{
      {"in-use-extend", property("In-use extend", "Extends attached volumes.", in_use)},
      {"online_extend_support", property("In-use extend", "Extends attached volumes.", in_use)},
  };
  return Content{.body = Value::Object{
                     {"namespace", "OS::Storage::Capabilities::" + id},
                     {"vendor_name", "volgrow"},
                     {"volume_backend_name", pool->backend},
                     {"pool_name", nullptr},
                     {"driver_version", VOLGROW_VERSION},
                     {"storage_protocol", pool->capabilities.protocol},
                     {"display_name", nullptr},
                     {"description", nullptr},
                     {"visibility", nullptr},
                     {"replication_targets", Value::Array()},
                     {"properties", std::move(properties)},
                 }};
}

}  // namespace

void add_pools(Api& api, const Workplace& work) {
  api.add(Route{"GET", "scheduler-stats/get_pools", at(work, get_pools)});
  api.add(Route{"GET", "capabilities/{id}", at(work, capabilities)});
}

}  // namespace volgrow::control::rest
