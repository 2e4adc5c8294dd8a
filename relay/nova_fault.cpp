// SPDX-License-Identifier: Apache-2.0
// nova/api/openstack/wsgi.py, Fault.
#include "relay/nova_fault.h"

#include <array>

#include "core/json.h"

namespace volgrow::relay {
namespace {

struct FaultName {
  int status;
  std::string_view name;
};
constexpr std::array fault_names{
    FaultName{400, "badRequest"},         FaultName{401, "unauthorized"},
    FaultName{403, "forbidden"},          FaultName{404, "itemNotFound"},
    FaultName{405, "badMethod"},          FaultName{409, "conflictingRequest"},
    FaultName{413, "overLimit"},          FaultName{415, "badMediaType"},
    FaultName{429, "overLimit"},          FaultName{501, "notImplemented"},
    FaultName{503, "serviceUnavailable"},
};

std::string_view name_of(int status) {
  for (const auto& row : fault_names)
    if (row.status == status) return row.name;
  return "computeFault";
}

}  // namespace

http::Response answer_of(const NovaFault& fault) {
  const Value body(
      Value::Object{{std::string(name_of(fault.status)),
                     Value::Object{{"code", fault.status}, {"message", fault.message}}}});
  return {fault.status, {{"Content-Type", "application/json; charset=UTF-8"}}, to_json(body)};
}

http::Response refusal(const http::Refusal& refused) {
  return answer_of({refused.status, std::string(refused.reason)});
}

http::Response no_such_resource() {
  const Value body(Value::Object{
      {"message", "The resource could not be found.<br /><br />\n\n\n"},
      {"code", "404 Not Found"},
      {"title", "Not Found"},
  });
  return {404, {{"Content-Type", "application/json"}}, to_json(body)};
}

}  // namespace volgrow::relay
