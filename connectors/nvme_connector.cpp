// SPDX-License-Identifier: Apache-2.0
// NVMe namespaces, over fabrics or local. With the kernel's own multipath a namespace is a head
// (nvme0n1) and a hidden disk for each controller (nvme0c0n1, nvme0c1n1); without it a disk for
// each controller, which is path and volume in one. Each controller is asked by itself; a rescan is
// asked of it too, and done by the kernel some time later.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "connectors/all.h"
#include "connectors/block_device.h"
#include "connectors/nvme.h"
#include "connectors/nvme_connection.h"
#include "connectors/nvme_questions.h"

namespace volgrow {
namespace {

using Devices = std::vector<std::string>;

constexpr std::string_view controllers_folder = "class/nvme";
constexpr std::string_view subsystem_prefix = "nvme-subsys";

std::string attribute_of(std::string_view device, std::string_view attribute) {
  return fmt::format("block/{}/{}", device, attribute);
}

std::string of_controller(std::string_view controller, std::string_view attribute) {
  return fmt::format("{}/{}/{}", controllers_folder, controller, attribute);
}

/// The subsystem of a head, the controller of any other namespace disk; "" when it is no NVMe disk.
std::string parent_of(const Host& host, std::string_view device) {
  if (!nvme::parse_disk_name(device)) return "";
  const auto where = host.canonical_sysfs(attribute_of(device, "device")).value_or("");
  return where.substr(where.rfind('/') + 1);
}

bool is_head(std::string_view parent) {
  return parent.starts_with(subsystem_prefix);
}

/// What is not there is none of ours: a controller may go while it is looked at.
Devices names_in(const Host& host, const std::string& folder) {
  return host.list(folder).value_or(Devices{});
}

/// The hidden disks of a head, of all controllers of its subsystem.
Devices paths_of(const Host& host, std::string_view head, std::string_view subsystem) {
  Devices paths;
  const auto wanted = *nvme::parse_disk_name(head);
  for (const auto& controller : names_in(host, fmt::format("class/nvme-subsystem/{}", subsystem))) {
    if (!nvme::is_controller_name(controller)) continue;
    for (const auto& name : names_in(host, fmt::format("{}/{}", controllers_folder, controller)))
      if (const auto parts = nvme::parse_disk_name(name); parts && parts->is_path_of(wanted))
        paths.push_back(name);
  }
  std::ranges::sort(paths);
  return paths;
}

/// "nvme0n1" of "nvme0c1n1", when the kernel has joined its paths.
std::string head_of(const Host& host, std::string_view path) {
  const auto parts = nvme::parse_disk_name(path);
  if (!parts || !parts->controller) return "";
  auto head = fmt::format("nvme{}n{}", parts->instance, parts->number);
  return is_head(parent_of(host, head)) ? head : "";
}

// ---- what closes a path ------------------------------------------------------------------------

/// What a path is in, as far as the kernel knows.
struct Condition {
  std::optional<std::string> controller;  ///< its state; nothing: it is gone
  std::string access;                     ///< ANA; empty where the target has none
};

Condition condition_of(const Host& host, std::string_view device, std::string_view controller) {
  const auto state = host.read(of_controller(controller, "state"));
  return {state ? std::optional(*state) : std::nullopt,
          host.read(attribute_of(device, "ana_state")).value_or("")};
}

/// "live", or "live optimized" where the target has asymmetric access.
std::string shown(const Condition& condition) {
  const auto state = condition.controller.value_or("");
  return condition.access.empty() ? state : fmt::format("{} {}", state, condition.access);
}

/// A rescan write of a controller that is not live "succeeds" and does nothing; what is
/// inaccessible tells nothing.
std::optional<Error> closed(const Condition& condition, std::string_view device,
                            std::string_view controller) {
  const auto closing = [&](std::string message) {
    return Error{ErrorCode::no_usable_path, std::move(message), std::string(device), 0};
  };
  const auto& [state, access] = condition;
  if (!state) return closing(fmt::format("{}: its controller {} is gone", device, controller));
  if (*state != "live")
    return closing(
        fmt::format("{}: controller {} is '{}', not 'live'", device, controller, *state));
  if (access.empty() || access == "optimized" || access == "non-optimized") return std::nullopt;
  return closing(
      fmt::format("{}: ANA state is '{}', not optimized or non-optimized", device, access));
}

// ---- the live identity -------------------------------------------------------------------------

/// One of the identifiers that the kernel read when the disk appeared, as hex digits; "" without.
std::string identifier_of(const Host& host, std::string_view device, std::string_view attribute) {
  auto text = host.read(attribute_of(device, attribute)).value_or("");
  std::erase_if(text, [](char c) { return c == '-' || c == ' '; });
  return text.find_first_not_of('0') == std::string::npos ? "" : text;
}

/// All of them. Without a UUID `uuid` shows the NGUID (core.c, uuid_show).
Devices identifiers_of(const Host& host, std::string_view device) {
  Devices all;
  for (const auto* attribute : {"uuid", "nguid", "eui"})
    if (auto found = identifier_of(host, device, attribute); !found.empty())
      all.push_back(std::move(found));
  return all;
}

/// The kernel removes a disk whose namespace has become another one as soon as it looks again
/// (core.c, nvme_validate_ns): a rescan would take the volume away from whoever uses it.
Result<void> still_the_same(const Host& host, const std::string& device,
                            const std::optional<Wwid>& live) {
  const auto known = identifiers_of(host, device);
  if (known.empty() || !live || std::ranges::find(known, live->hex) != known.end()) return {};
  return failure(
      ErrorCode::no_such_device,
      fmt::format("{} is the namespace {} for the kernel, and its target shows {} in its "
                  "place: the volume is not there any more. Nothing was sent to it; "
                  "correct the mapping at the target, or detach the volume",
                  device, known.front(), to_string(*live)),
      device);
}

/// The controller's own node, once it is sure to be this controller's.
Result<std::unique_ptr<OpenNode>> open_controller(Host& host, const Layer& layer) {
  const auto path = "/dev/" + layer.address;
  const auto unusable = [&](Error error) {
    error.device = layer.device;
    if (error.code == ErrorCode::internal) error.code = ErrorCode::no_usable_path;
    return std::unexpected(std::move(error));
  };
  auto node = host.open(path, Access::query);
  if (!node) return unusable(std::move(node.error()));
  auto status = (*node)->status();
  if (!status) return unusable(std::move(status.error()));
  const auto number = host.read(of_controller(layer.address, "dev")).value_or("");
  const auto is = fmt::format("{}:{}", major(status->device_number), minor(status->device_number));
  if (S_ISCHR(status->mode) && number == is) return node;
  return failure(ErrorCode::no_such_device,
                 fmt::format("{} is not the node of controller {}", path, layer.address),
                 layer.device);
}

Result<std::uint32_t> nsid_of(const Host& host, const std::string& device) {
  auto text = host.read(attribute_of(device, "nsid"));
  if (!text) return std::unexpected(std::move(text.error()));
  auto number = parse_number(*text, "nsid of " + device);
  if (!number) return std::unexpected(std::move(number.error()));
  return static_cast<std::uint32_t>(*number);
}

// ---- finding a connection ----------------------------------------------------------------------

bool leads_to(const Host& host, std::string_view controller, const NvmeConnection& connection) {
  if (host.read(of_controller(controller, "subsysnqn")).value_or("") != connection.subsystem)
    return false;
  const auto as = host.read(of_controller(controller, "hostnqn"));  // since Linux 5.3
  return !connection.host || !as || *as == *connection.host;
}

/// One attribute is read of a namespace that has a UUID: there may be hundreds.
bool has_identifier(const Host& host, std::string_view device, const NvmeConnection& connection) {
  const auto uuid = identifier_of(host, device, "uuid");
  if (connection.uuid && uuid == *connection.uuid) return true;
  if (!uuid.empty() && !connection.nguid) return false;
  const auto known = identifiers_of(host, device);
  const auto shows = [&](const std::optional<std::string>& hex) {
    return hex && std::ranges::find(known, *hex) != known.end();
  };
  return shows(connection.uuid) || shows(connection.nguid);
}

bool names_an_identifier(const NvmeConnection& connection) {
  return connection.uuid || connection.nguid;
}

/// By identifier where there is one; by number otherwise; a connection that names neither means
/// every namespace of its subsystem.
bool is_meant(const Host& host, std::string_view device, const NvmeConnection& connection) {
  if (names_an_identifier(connection)) return has_identifier(host, device, connection);
  if (!connection.nsid) return true;
  return host.read(attribute_of(device, "nsid")).value_or("") == std::to_string(*connection.nsid);
}

/// True: the head was found, and the kernel lets no other of its subsystem have that identifier
/// (core.c, nvme_subsys_check_duplicate_ids).
bool add_namespaces(const Host& host, std::string_view controller, const NvmeConnection& connection,
                    Devices& found) {
  for (const auto& name : names_in(host, fmt::format("{}/{}", controllers_folder, controller))) {
    if (!nvme::parse_disk_name(name) || !is_meant(host, name, connection)) continue;
    const auto head = head_of(host, name);
    const auto& volume = head.empty() ? name : head;
    if (std::ranges::find(found, volume) == found.end()) found.push_back(volume);
    if (!head.empty() && names_an_identifier(connection)) return true;
  }
  return false;
}

// ---- the connector -----------------------------------------------------------------------------

class NvmeConnector final : public Connector {
 public:
  std::string_view name() const override { return "nvme"; }
  bool speaks(std::string_view driver_volume_type) const override {
    return driver_volume_type == "nvmeof" || driver_volume_type == "nvme";
  }
  Result<Devices> discover(Host& host, const ConnectionInfo& info) const override;
  bool claims(const Host& host, std::string_view device) const override {
    const auto parent = parent_of(host, device);
    return is_head(parent) || nvme::is_controller_name(parent);
  }
  Devices above(const Host& host, std::string_view device) const override {
    const auto head = head_of(host, device);
    return head.empty() ? Devices{} : Devices{head};
  }
  Result<Layer> describe(Host& host, std::string_view device) const override;
  Result<Standing> standing(Host& host, std::string_view device) const override;
  /// Identify Namespace and its descriptors, both live.
  Result<Truth> probe(Host& host, const Layer& layer, Deadline deadline) const override;
  Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline deadline) const override;
  Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const override;
};

Result<Devices> NvmeConnector::discover(Host& host, const ConnectionInfo& info) const {
  const auto connection = parse_nvme_connection(info);
  if (!connection) return std::unexpected(connection.error());
  Devices found;
  for (const auto& controller : names_in(host, std::string(controllers_folder)))
    if (leads_to(host, controller, *connection) &&
        add_namespaces(host, controller, *connection, found))
      break;
  return found;
}

void describe_head(const Host& host, std::string_view subsystem, Layer& layer) {
  layer.kind = LayerKind::nvme_namespace;
  layer.growth = Growth::by_itself;
  layer.endpoint =
      host.read(fmt::format("class/nvme-subsystem/{}/subsysnqn", subsystem)).value_or("");
  layer.below = paths_of(host, layer.device, subsystem);
}

void describe_path(const Host& host, const std::string& controller, Layer& layer) {
  layer.kind = LayerKind::nvme_path;
  layer.growth = Growth::later;
  layer.has_target = true;
  layer.address = controller;
  layer.transport = host.read(of_controller(controller, "transport")).value_or("");
  const auto address = host.read(of_controller(controller, "address")).value_or("");
  layer.endpoint = fmt::format("{},{}", nvme::portal_of(address),
                               host.read(of_controller(controller, "subsysnqn")).value_or("?"));
  const auto condition = condition_of(host, layer.device, controller);
  layer.state = shown(condition);
  layer.closed = closed(condition, layer.device, controller);
}

std::unexpected<Error> no_namespace(std::string_view device) {
  return failure(ErrorCode::no_such_device, fmt::format("{} is no NVMe namespace", device),
                 std::string(device));
}

Result<Layer> NvmeConnector::describe(Host& host, std::string_view device) const {
  const auto parent = parent_of(host, device);
  if (parent.empty()) return no_namespace(device);
  auto identity = identity_of(host, device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  Layer layer;
  layer.connector = name();
  layer.device = device;
  layer.identity = *identity;
  if (auto size = kernel_size_of(host, device)) layer.size = *size;
  if (is_head(parent)) describe_head(host, parent, layer);
  if (!is_head(parent)) describe_path(host, parent, layer);
  return layer;
}

Result<Standing> NvmeConnector::standing(Host& host, std::string_view device) const {
  const auto parent = parent_of(host, device);
  if (parent.empty()) return no_namespace(device);
  auto identity = identity_of(host, device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  if (is_head(parent)) return Standing{*identity, std::nullopt};
  return Standing{*identity, closed(condition_of(host, device, parent), device, parent)};
}

Result<Truth> NvmeConnector::probe(Host& host, const Layer& layer, Deadline) const {
  const auto nsid = nsid_of(host, layer.device);
  if (!nsid) return std::unexpected(nsid.error());
  const auto controller = open_controller(host, layer);
  if (!controller) return std::unexpected(controller.error());
  auto capacity = nvme::ask_capacity(**controller, *nsid, layer.device);
  if (!capacity) return std::unexpected(std::move(capacity.error()));
  auto identity = nvme::ask_identity(**controller, *nsid, layer.device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  if (auto same = still_the_same(host, layer.device, *identity); !same)
    return std::unexpected(std::move(same.error()));
  return Truth{capacity->size, std::move(*identity)};
}

/// Only queues work, and rescans every namespace of the controller. Identify as passthrough does
/// not make the kernel look again.
Result<void> NvmeConnector::grow(Host& host, const Layer& layer, Bytes, Deadline deadline) const {
  if (deadline.passed(host.clock().now()))
    return failure(ErrorCode::timed_out, fmt::format("no time was left to rescan {}", layer.device),
                   layer.device);
  auto done = host.write(of_controller(layer.address, "rescan_controller"), "1");
  if (done) return {};
  auto error = std::move(done.error()).during("rescan of controller " + layer.address);
  error.device = layer.device;
  return std::unexpected(std::move(error));
}

Result<Measurement> NvmeConnector::measure(Host& host, const Layer& layer, bool consumer) const {
  auto measured = measure_block(host, layer, consumer);
  if (measured && layer.has_target)
    measured->state = shown(condition_of(host, layer.device, layer.address));
  return measured;
}

}  // namespace

std::unique_ptr<Connector> nvme_connector() {
  return std::make_unique<NvmeConnector>();
}

}  // namespace volgrow
