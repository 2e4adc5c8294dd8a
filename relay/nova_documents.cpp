// SPDX-License-Identifier: Apache-2.0
// nova/api/openstack/compute/versions.py, with the one version that is here.
#include "relay/nova_documents.h"

#include <fmt/format.h>

#include "core/json.h"
#include "relay/nova_version.h"

namespace volgrow::relay {
namespace {

Value::Object version(std::string_view url) {
  const Value::Object self{{"rel", "self"}, {"href", fmt::format("{}/v2.1/", url)}};
  return {{"id", "v2.1"},
          {"status", "CURRENT"},
          {"version", to_text(last_version)},
          {"min_version", to_text(first_version)},
          {"updated", "2013-07-23T11:33:21Z"},
          {"links", Value::Array{self}}};
}

http::Response document(std::string_view key, Value value) {
  return {200,
          {{"Content-Type", "application/json"}},
          to_json(Value(Value::Object{{std::string(key), std::move(value)}}))};
}

}  // namespace

http::Response versions_document(std::string_view url) {
  return document("versions", Value::Array{version(url)});
}

http::Response version_document(std::string_view url) {
  return document("version", version(url));
}

}  // namespace volgrow::relay
