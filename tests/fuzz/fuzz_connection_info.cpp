// SPDX-License-Identifier: Apache-2.0
// connection_info: what is kept is read back the same, holds no secret key and no NUL; and what a
// transport makes of it is a connection in its own terms, or a refusal.
#include <algorithm>

#include "connectors/fc_connection.h"
#include "connectors/iscsi_connection.h"
#include "connectors/wwn.h"
#include "core/connection_info.h"
#include "core/target.h"
#include "core/text.h"
#include "tests/fuzz/property.h"

namespace {

using volgrow::Value;
using volgrow::fuzz::holds;

/// The keys every deployment has; not the product's own list, which this must not merely repeat.
bool is_known_secret(const std::string& key) {
  return key.starts_with("auth_") || key.starts_with("discovery_auth_") || key == "password" ||
         key == "secret" || key == "token" || key == "keyring" || key == "passphrase";
}

void expect_scrubbed(const Value& value) {
  if (const auto* text = value.text())
    holds(text->find('\0') == std::string::npos, "no text holds a NUL");
  if (const auto* items = value.array()) std::ranges::for_each(*items, expect_scrubbed);
  if (const auto* members = value.object())
    for (const auto& [key, member] : *members) {
      holds(!is_known_secret(key), "no secret is kept");
      expect_scrubbed(member);
    }
}

void expect_refused(const volgrow::Error& error) {
  holds(error.code == volgrow::ErrorCode::bad_connection_info, "a refusal is BadConnectionInfo");
  holds(volgrow::printable(error.message) == error.message, "a refusal is printable");
}

void expect_wwn(const std::string& wwn) {
  holds(volgrow::parse_wwn(wwn) == wwn, "a WWN is in its one spelling");
}

void expect_fc(const volgrow::ConnectionInfo& info) {
  const auto connection = volgrow::parse_fc_connection(info);
  if (!connection) return expect_refused(connection.error());
  holds(!connection->units.empty(), "a Fibre Channel connection has a unit");
  for (const auto& unit : connection->units)
    expect_wwn(unit.target);
  for (const auto& [initiator, targets] : connection->targets_of_initiator) {
    expect_wwn(initiator);
    std::ranges::for_each(targets, expect_wwn);
  }
}

void expect_iscsi(const volgrow::ConnectionInfo& info) {
  const auto connection = volgrow::parse_iscsi_connection(info);
  if (!connection) return expect_refused(connection.error());
  holds(!connection->units.empty(), "an iSCSI connection has a unit");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto connection = volgrow::parse_connection_info(volgrow::fuzz::text_of(data, size));
  if (!connection) {
    expect_refused(connection.error());
    return 0;
  }
  expect_scrubbed(connection->data);
  holds(volgrow::parse_connection_info(to_json(*connection)) == connection,
        "a connection is read back from its text");
  if (const auto id = connection->volume_id())
    holds(volgrow::is_volume_id(*id), "a volume id is well-formed");
  expect_fc(*connection);
  expect_iscsi(*connection);
  return 0;
}
