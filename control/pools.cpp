// SPDX-License-Identifier: Apache-2.0
// Cinder's CapabilitiesFilter, CapacityFilter and CapacityWeigher (cinder/scheduler), as far as our
// back ends differ in what these look at.
#include "control/pools.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "control/cinder_words.h"

namespace volgrow::control {
namespace {

constexpr Duration period = std::chrono::minutes(1);
/// A burst of new volumes asks once. They are sparse: making one takes next to nothing.
constexpr Duration fresh_for = std::chrono::seconds(2);
constexpr Duration answer_time = std::chrono::seconds(10);

/// Cinder counts capacity in GiB, with two digits behind the point.
double gib_of(Bytes bytes) {
  return static_cast<double>(((bytes.count() >> 10) * 100) >> 20) / 100;
}

/// They are measured one after the other, perhaps on one file system that others write to, too.
bool has_more_room(const Pool& pool, const Pool& other) {
  const auto least = other.capabilities.free.count();
  return pool.capabilities.free.count() > least + least / 100;
}

/// "<is> True" against true, otherwise the same text. Cinder knows more operators; nothing of ours
/// is a number that they could be of use for.
bool meets(const Value& capability, std::string_view wanted) {
  if (const auto* flag = capability.boolean())
    return wanted == (*flag ? "<is> True" : "<is> False") || wanted == (*flag ? "True" : "False");
  const auto* text = capability.text();
  if (wanted.starts_with("s== ")) wanted.remove_prefix(4);
  return text != nullptr && *text == wanted;
}

/// A key with another scope than "capabilities" is somebody else's business.
std::optional<std::string_view> capability_in(std::string_view spec) {
  const auto colon = spec.find(':');
  if (colon == std::string_view::npos) return spec;
  if (spec.substr(0, colon) != "capabilities") return std::nullopt;
  return spec.substr(colon + 1);
}

}  // namespace

struct Pools::Round {
  std::size_t missing;
  std::move_only_function<void()> then;
};

void Pools::start() {
  ask([] {});
  auto watch = needs_.loop.at(needs_.clock.now() + period, [this] { start(); });
  if (watch) next_ = std::move(*watch);
}

void Pools::when_fresh(std::move_only_function<void()> then) {
  if (asked_ && needs_.clock.now() - *asked_ < fresh_for) return then();
  ask(std::move(then));
}

void Pools::ask(std::move_only_function<void()> then) {
  const auto& all = needs_.config.backends.backends;
  if (all.empty()) return then();
  auto round = std::make_shared<Round>(Round{all.size(), std::move(then)});
  const auto deadline = within(answer_time, needs_.clock.now());
  for (const auto& backend : all)
    needs_.backends.call(backend::GetCapabilities{backend.name}, deadline,
                         [this, name = backend.name, round](auto answer) {
                           took(name, std::move(answer));
                           if (--round->missing > 0) return;
                           asked_ = needs_.clock.now();
                           round->then();
                         });
}

void Pools::took(const std::string& backend, Result<backend::Capabilities> answer) {
  if (answer) {
    silent_.erase(backend);
    pools_[backend] = {backend, std::move(*answer), needs_.clock.wall()};
    return;
  }
  pools_.erase(backend);
  auto& reason = silent_[backend];
  if (reason != answer.error().message)
    needs_.log.warning(fmt::format("back end {} is down: {}", backend, answer.error().message));
  reason = answer.error().message;
}

std::vector<Pool> Pools::known() const {
  std::vector<Pool> known;
  for (const auto& backend : needs_.config.backends.backends)
    if (const auto found = pools_.find(backend.name); found != pools_.end())
      known.push_back(found->second);
  return known;
}

std::optional<Pool> Pools::find(const std::string& backend) const {
  const auto found = pools_.find(backend);
  return found == pools_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> Pools::choose(const std::map<std::string, std::string>& extra_specs,
                                         Gib size) const {
  std::optional<Pool> best;
  for (const auto& pool : known()) {
    if (!offers(pool, extra_specs) || !has_room(pool, size)) continue;
    if (!best || has_more_room(pool, *best)) best = pool;
  }
  return best ? std::optional(best->backend) : std::nullopt;
}

Value capabilities_of(const Pool& pool) {
  const auto& said = pool.capabilities;
  const bool thin = said.max_over_subscription_ratio > 1;
  return Value::Object{
      {"pool_name", pool.backend},
      {"total_capacity_gb", gib_of(said.total)},
      {"free_capacity_gb", gib_of(said.free)},
      {"reserved_percentage", 0},
      {"max_over_subscription_ratio", std::to_string(said.max_over_subscription_ratio) + ".0"},
      {"thin_provisioning_support", thin},
      {"thick_provisioning_support", !thin},
      {"multiattach", true},
      {"QoS_support", false},
      {"online_extend_support", said.in_use_extend},
      {"in-use-extend", said.in_use_extend},
      {"volume_backend_name", pool.backend},
      {"storage_protocol", said.protocol},
      {"vendor_name", "volgrow"},
      {"driver_version", VOLGROW_VERSION},
      {"driver", said.driver},
      {"backend_state", "up"},
      {"timestamp", cinder_time(pool.asked_at)},
      {"filter_function", nullptr},
      {"goodness_function", nullptr},
  };
}

bool offers(const Pool& pool, const std::map<std::string, std::string>& extra_specs) {
  const auto capabilities = capabilities_of(pool);
  return std::ranges::all_of(extra_specs, [&](const auto& spec) {
    const auto name = capability_in(spec.first);
    if (!name) return true;
    const auto* capability = capabilities.find(*name);
    return capability != nullptr && meets(*capability, spec.second);
  });
}

bool has_room(const Pool& pool, Gib size) {
  const auto& said = pool.capabilities;
  return static_cast<double>(bytes_of(size).count()) <=
         static_cast<double>(said.free.count()) * said.max_over_subscription_ratio;
}

}  // namespace volgrow::control
