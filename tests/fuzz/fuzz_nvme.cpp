// SPDX-License-Identifier: Apache-2.0
// What NVMe controllers answer, and what sysfs calls them: no reply makes a size that cannot be,
// and what is understood is understood again.
#include "connectors/nvme.h"
#include "connectors/nvme_connection.h"
#include "tests/fuzz/property.h"

namespace {

using volgrow::fuzz::holds;

void check_replies(std::string page) {
  page.resize(volgrow::nvme::identify_size);
  if (const auto capacity = volgrow::nvme::parse_capacity(page)) {
    holds(capacity->block_length >= volgrow::Bytes(512), "a block is 512 bytes or more");
    holds(capacity->size >= capacity->block_length, "a namespace has a block");
    holds(capacity->size.count() % capacity->block_length.count() == 0, "and only whole ones");
  }
  if (const auto identity = volgrow::nvme::parse_namespace_identity(page))
    holds(volgrow::parse_wwid(to_string(*identity)) == *identity, "an identity is read back");
  const auto listed = volgrow::nvme::parse_descriptors(page);
  if (listed && *listed)
    holds(volgrow::parse_wwid(to_string(**listed)) == **listed, "a descriptor is read back");
}

void check_names(std::string_view text) {
  if (const auto name = volgrow::nvme::parse_disk_name(text)) {
    holds(!name->is_path_of(*name), "nothing is a path of itself");
    holds(!volgrow::nvme::is_controller_name(text), "a disk is no controller");
  }
  volgrow::nvme::portal_of(text);
}

void check_connection(std::string_view text) {
  const auto info = volgrow::parse_connection_info(text);
  if (!info) return;
  const auto connection = volgrow::parse_nvme_connection(*info);
  if (!connection) return;
  holds(!connection->subsystem.empty(), "a connection names its subsystem");
  for (const auto& id : {connection->uuid, connection->nguid})
    holds(!id || id->size() == 32, "an identifier has 32 digits");
  holds(connection->nsid != 0U, "no namespace is number 0");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = volgrow::fuzz::text_of(data, size);
  check_replies(std::string(text));
  check_names(text);
  check_connection(text);
  return 0;
}
