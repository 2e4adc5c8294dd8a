// SPDX-License-Identifier: Apache-2.0
// The table of design page "control side" §3, and Cinder's checks (cinder/volume/api.py, _extend).
#include "control/extend_rules.h"

#include <fmt/format.h>

#include "control/type_limits.h"

namespace volgrow::control {
namespace {

using To = Transition::To;

Outcome<void> check_type(const ExtendRequest& request) {
  return request.type ? check_type_limits(*request.type, request.new_size) : Outcome<void>();
}

Outcome<void> check_status(const ExtendRequest& request) {
  const auto& volume = request.volume;
  const auto status = request.under_way ? VolumeStatus::extending : volume.status;
  const bool attached = status == VolumeStatus::in_use && request.in_use_allowed;
  if (attached || status == VolumeStatus::available) return {};
  return invalid_volume(
      fmt::format("Volume {} status must be '{{'status': 'available'}}' to extend, currently {}.",
                  volume.id, name_of(status)));
}

Outcome<void> check_capability(const ExtendRequest& request) {
  const bool attached = request.volume.status == VolumeStatus::in_use && request.in_use_allowed;
  if (!attached || request.capable) return {};
  return invalid_input(
      fmt::format("The volume driver '{}' of back end '{}' does not support in-use-extend: detach "
                  "the volume to extend it.",
                  request.back_end_driver, request.volume.backend));
}

Gib limit_of(const ExtendRequest& request, const std::string& resource) {
  const auto found = request.limits.find(resource);
  return found == request.limits.end() ? -1 : found->second;
}

Usage usage_of(const ExtendRequest& request, const std::string& resource) {
  const auto found = request.usage.find(resource);
  return found == request.usage.end() ? Usage{} : found->second;
}

bool exceeds(const ExtendRequest& request, const std::string& resource, Gib increase) {
  const auto limit = limit_of(request, resource);
  const auto usage = usage_of(request, resource);
  return limit >= 0 && usage.in_use + usage.reserved + increase > limit;
}

/// Whichever of the two is exceeded, Cinder tells of "gigabytes".
Outcome<void> check_quota(const ExtendRequest& request) {
  const auto per_volume = limit_of(request, "per_volume_gigabytes");
  if (per_volume >= 0 && request.new_size > per_volume)
    return over_quota(
        fmt::format("VolumeSizeExceedsLimit: Requested volume size {}G is larger than maximum "
                    "allowed limit {}G.",
                    request.new_size, per_volume));
  const auto increase = request.new_size - request.volume.size;
  const auto of_type = fmt::format("gigabytes_{}", request.type_name());
  if (!exceeds(request, "gigabytes", increase) && !exceeds(request, of_type, increase)) return {};
  const auto usage = usage_of(request, "gigabytes");
  return over_quota(
      fmt::format("VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
                  "gigabytes quota. Requested {}G, quota is {}G "
                  "and {}G has been consumed.",
                  increase, limit_of(request, "gigabytes"), usage.in_use + usage.reserved));
}

}  // namespace

Transition transition(ExtendEvent event) {
  switch (event) {
    case ExtendEvent::grew:
    case ExtendEvent::completed:
      return {.ends = true,
              .grown = true,
              .tells_hosts = true,
              .message = {},
              .notification = Notification::end,
              .to = To::by_attachments};
    case ExtendEvent::grew_deferred:
      return {.ends = false,
              .grown = false,
              .tells_hosts = false,
              .message = {},
              .notification = Notification::none,
              .to = To::extending};
    case ExtendEvent::failed:
    case ExtendEvent::not_initialised:
      return {.ends = true,
              .grown = false,
              .tells_hosts = false,
              .message = Detail::driver_failed_extend,
              .notification = Notification::error,
              .to = To::error_extending};
    case ExtendEvent::no_capacity:
      return {.ends = true,
              .grown = false,
              .tells_hosts = false,
              .message = Detail::no_back_end,
              .notification = Notification::scheduler_error,
              .to = To::previous};
  }
  return {};
}

VolumeStatus status_after(const Transition& transition, const Extend& extend,
                          const std::vector<Attachment>& attachments) {
  switch (transition.to) {
    case To::extending:
      return VolumeStatus::extending;
    case To::by_attachments:
      return attachments.empty() ? VolumeStatus::available : VolumeStatus::in_use;
    case To::previous:
      return extend.previous_status;
    case To::error_extending:
      return VolumeStatus::error_extending;
  }
  return VolumeStatus::error_extending;
}

Outcome<void> check(const ExtendRequest& request) {
  if (request.new_size <= request.volume.size)
    return invalid_input(
        fmt::format("New size for extend must be greater than current size. "
                    "(current: {}, extended: {}).",
                    request.volume.size, request.new_size));
  for (const auto step : {check_type, check_capability, check_status, check_quota})
    if (auto passed = step(request); !passed) return passed;
  return {};
}

}  // namespace volgrow::control
