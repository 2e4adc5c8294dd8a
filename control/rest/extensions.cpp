// SPDX-License-Identifier: Apache-2.0
// What clients look up before they ask: extensions, as far as we have what they stand for, and the
// filters of lists.
#include <algorithm>
#include <array>

#include "control/rest/services.h"
#include "control/rest/words.h"

namespace volgrow::control::rest {
namespace {

struct Extension {
  const char* name;
  const char* alias;
  const char* description;
  const char* updated;
};

constexpr std::array extensions{
    Extension{"UsedLimits", "os-used-limits",
              "Provide data on limited resources that are being used.",
              "2013-10-03T00:00:00+00:00"},
    Extension{"AdminActions", "os-admin-actions", "Enable admin actions.",
              "2012-08-25T00:00:00+00:00"},
    Extension{"TypesExtraSpecs", "os-types-extra-specs", "Type extra specs support.",
              "2011-08-24T00:00:00+00:00"},
    Extension{"Quotas", "os-quota-sets", "Quota management support.", "2011-08-08T00:00:00+00:00"},
    Extension{"VolumeActions", "os-volume-actions", "Enable volume actions.",
              "2012-05-31T00:00:00+00:00"},
    Extension{"QuotaClasses", "os-quota-class-sets", "Quota classes management support.",
              "2012-03-12T00:00:00+00:00"},
    Extension{"AvailabilityZones", "os-availability-zone", "Describe Availability Zones.",
              "2013-06-27T00:00:00+00:00"},
    Extension{"VolumeTypeAccess", "os-volume-type-access", "Volume type access support.",
              "2014-06-26T00:00:00Z"},
    Extension{"Services", "os-services", "Services support.", "2012-10-28T00:00:00-00:00"},
    Extension{"Hosts", "os-hosts", "Admin-only host administration.", "2011-06-29T00:00:00+00:00"},
    Extension{"TypesManage", "os-types-manage", "Types manage support.",
              "2011-08-24T00:00:00+00:00"},
    Extension{"VolumeHostAttribute", "os-vol-host-attr", "Expose host as an attribute of a volume.",
              "2011-11-03T00:00:00+00:00"},
    Extension{"Scheduler_stats", "scheduler-stats", "Scheduler stats support.",
              "2014-09-07T00:00:00+00:00"},
    Extension{"VolumeMigStatusAttribute", "os-vol-mig-status-attr",
              "Expose migration_status as an attribute of a volume.", "2013-08-08T00:00:00+00:00"},
    Extension{"VolumeTenantAttribute", "os-vol-tenant-attr",
              "Expose the internal project_id as an attribute of a volume.",
              "2011-11-03T00:00:00+00:00"},
    Extension{"ExtendedServices", "os-extended-services", "Extended services support.",
              "2014-01-10T00:00:00-00:00"},
    Extension{"Capabilities", "capabilities", "Capabilities support.", "2015-08-31T00:00:00+00:00"},
};

Value shown(const Extension& extension) {
  return Value::Object{{"name", extension.name},
                       {"alias", extension.alias},
                       {"description", extension.description},
                       {"updated", extension.updated},
                       {"links", Value::Array()}};
}

Outcome<Content> list(const Call& /*call*/) {
  Value::Array all;
  for (const auto& extension : extensions)
    all.push_back(shown(extension));
  return Content{.body = Value::Object{{"extensions", std::move(all)}}};
}

Outcome<Content> show(const Call& call) {
  const auto* found = std::ranges::find_if(
      extensions, [&](const auto& extension) { return extension.alias == call.at("id"); });
  if (found == extensions.end()) return not_found(std::string(words::no_resource));
  return Content{.body = Value::Object{{"extension", shown(*found)}}};
}

// ---- filters: /etc/cinder/resource_filters.json ----

struct Filters {
  const char* resource;
  Value::Array names;
};

std::vector<Filters> all_filters() {
  return {
      {"volume",
       {"name", "status", "metadata", "bootable", "migration_status", "availability_zone",
        "group_id", "size", "created_at", "updated_at", "consumes_quota"}},
      {"backup", {"name", "status", "volume_id"}},
      {"snapshot",
       {"name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"}},
      {"group", {"name"}},
      {"group_snapshot", {"name", "status", "group_id"}},
      {"attachment", {"volume_id", "status", "instance_id", "attach_status"}},
      {"message", {"resource_uuid", "resource_type", "event_id", "request_id", "message_level"}},
      {"pool", {"name", "volume_type"}},
      {"volume_type", {"is_public", "extra_specs"}},
  };
}

Outcome<Content> list_filters(const Call& call) {
  const auto* wanted = call.parameter("resource");
  Value::Array all;
  for (auto& [resource, names] : all_filters())
    if (wanted == nullptr || wanted->empty() || *wanted == resource)
      all.emplace_back(Value::Object{{"resource", resource}, {"filters", std::move(names)}});
  return Content{.body = Value::Object{{"resource_filters", std::move(all)}}};
}

}  // namespace

void add_extensions(Api& api, const Workplace& /*work*/) {
  api.add(Route{"GET", "extensions", at_once(list)});
  api.add(Route{"GET", "extensions/{id}", at_once(show)});
  api.add(Route{"GET", "resource_filters", at_once(list_filters), {3, 33}});
}

}  // namespace volgrow::control::rest
