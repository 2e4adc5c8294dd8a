// SPDX-License-Identifier: Apache-2.0
// Due rescans are done when somebody looks: time passes only on the fake clock.
#include "tests/fakes/fake_nvme.h"

#include <fmt/format.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace volgrow {
namespace {

constexpr std::string_view subsystem = "devices/virtual/nvme-subsystem/nvme-subsys0";

std::string folder_of(const std::string& controller) {
  return "devices/virtual/nvme-fabrics/ctl/" + controller;
}

void put_le(std::string& out, std::size_t at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::string identify_namespace(const FakeNamespace& ns) {
  std::string page(4096, '\0');
  if (!ns.mapped) return page;
  put_le(page, 0, ns.target_size.count() >> ns.block_bits, 8);
  page[26] = 0x21;  // format 1 + 16
  page[128 + 4 * 17 + 2] = static_cast<char>(ns.block_bits);
  if (ns.identity && ns.identity->type == WwidType::nguid)
    page.replace(104, 16, bytes_of(ns.identity->hex));
  if (ns.identity && ns.identity->type == WwidType::eui)
    page.replace(120, 8, bytes_of(ns.identity->hex));
  return page;
}

std::string identify_descriptors(const FakeNamespace& ns) {
  std::string page(4096, '\0');
  if (!ns.mapped || !ns.identity) return page;
  const auto value = bytes_of(ns.identity->hex);
  const auto type = ns.identity->type;
  page[0] = type == WwidType::uuid ? 3 : type == WwidType::nguid ? 2 : 1;
  page[1] = static_cast<char>(value.size());
  page.replace(4, value.size(), value);
  return page;
}

}  // namespace

FakeController& FakeNvme::add_controller(const std::string& name, ControllerOptions options) {
  auto& made = controllers_.emplace_back();
  made.name = name;
  const auto folder = folder_of(name);
  const auto number = makedev(240, static_cast<unsigned>(controllers_.size() - 1));
  const auto show = [&](const char* attribute, std::string text) {
    kernel_.set_attribute(folder + "/" + attribute, std::move(text));
  };
  show("transport", options.transport);
  show("address", options.address);
  show("subsysnqn", options.subsystem);
  show("hostnqn", options.host);
  show("dev", fmt::format("{}:{}", major(number), minor(number)));
  kernel_.add_attribute(folder + "/state", [&made] { return made.state; });
  kernel_.add_link("class/nvme/" + name, folder);
  kernel_.add_writer(folder + "/rescan_controller", [this, &made](std::string_view text) {
    kernel_.note_change(fmt::format("write class/nvme/{}/rescan_controller {}", made.name, text));
    // nvme_queue_scan: nothing for a controller that is not live, and "ok" all the same.
    if (made.state == "live" && !made.deaf) announce(made.name);
    return Result<void>();
  });
  kernel_.add_node("/dev/" + name, number, [this, &made](unsigned long request, void* argument) {
    return control(made, request, argument);
  });
  return made;
}

FakeController& FakeNvme::controller(const std::string& name) {
  for (auto& one : controllers_)
    if (one.name == name) return one;
  throw std::out_of_range(name);
}

FakeNamespace& FakeNvme::path(const std::string& disk) {
  for (auto& one : controllers_)
    for (auto& ns : one.namespaces)
      if (ns.disk == disk) return ns;
  throw std::out_of_range(disk);
}

void FakeNvme::publish_identity(const std::string& disk, const NamespaceOptions& options) {
  kernel_.set_attribute(fmt::format("block/{}/nsid", disk), std::to_string(options.nsid));
  if (!options.identity) return;
  const auto& hex = options.identity->hex;
  const bool is_eui = options.identity->type == WwidType::eui;
  const auto* attribute = options.identity->type == WwidType::nguid ? "nguid" : "uuid";
  const auto dashed = is_eui ? ""
                             : fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                                           hex.substr(12, 4), hex.substr(16, 4), hex.substr(20));
  if (!is_eui) kernel_.set_attribute(fmt::format("block/{}/{}", disk, attribute), dashed);
  const bool is_uuid = options.identity->type == WwidType::uuid;
  kernel_.set_attribute(fmt::format("block/{}/wwid", disk),
                        is_uuid ? "uuid." + dashed : "eui." + hex);
}

void FakeNvme::show_size(const std::string& disk) {
  kernel_.add_attribute(fmt::format("block/{}/size", disk), [this, disk] {
    catch_up();
    return std::to_string(kernel_.device(disk).size.count() / 512);
  });
}

void FakeNvme::add_disk(FakeController& controller, FakeNamespace made, Bytes size) {
  const auto disk = made.disk;
  const bool hidden = !made.head.empty();
  kernel_.add_block(disk, size);
  show_size(disk);
  kernel_.add_link(fmt::format("block/{}/device", disk), folder_of(controller.name));
  kernel_.add_link(fmt::format("class/nvme/{}/{}", controller.name, disk), "block/" + disk);
  auto& kept = controller.namespaces.emplace_back(std::move(made));
  kernel_.add_attribute(fmt::format("block/{}/ana_state", disk), [&kept] {
    return kept.ana_state.empty() ? std::nullopt : std::optional(kept.ana_state);
  });
  kernel_.set_attribute(fmt::format("block/{}/hidden", disk), hidden ? "1" : "0");
  if (!hidden) return;
  kernel_.remove_attribute(fmt::format("block/{}/dev", disk));
  kernel_.remove_file("/dev/" + disk);
}

void FakeNvme::add_head(const std::string& head, const NamespaceOptions& options) {
  kernel_.add_block(head, options.size);
  show_size(head);
  kernel_.set_attribute(std::string(subsystem) + "/subsysnqn", "nqn.2026-01.org.volgrow:subsystem");
  kernel_.add_link("class/nvme-subsystem/nvme-subsys0", std::string(subsystem));
  kernel_.add_link(fmt::format("block/{}/device", head), std::string(subsystem));
  publish_identity(head, options);
}

void FakeNvme::add_joined(const std::vector<std::string>& controllers, NamespaceOptions options) {
  const auto head = fmt::format("nvme0n{}", options.nsid);
  add_head(head, options);
  for (const auto& name : controllers) {
    const auto disk = fmt::format("nvme0c{}n{}", name.substr(4), options.nsid);
    add_disk(controller(name),
             {disk, head, options.nsid, options.size, options.block_bits, options.identity},
             options.size);
    publish_identity(disk, options);
    kernel_.add_link(fmt::format("class/nvme-subsystem/nvme-subsys0/{}", name), folder_of(name));
  }
}

void FakeNvme::add_single(const std::string& name, NamespaceOptions options) {
  const auto disk = fmt::format("{}n{}", name, options.nsid);
  add_disk(controller(name),
           {disk, "", options.nsid, options.size, options.block_bits, options.identity},
           options.size);
  publish_identity(disk, options);
}

void FakeNvme::target_grows(Bytes size) {
  for (auto& one : controllers_)
    for (auto& ns : one.namespaces)
      ns.target_size = size;
}

void FakeNvme::announce(const std::string& name) {
  auto& told = controller(name);
  if (!told.due) told.due = kernel_.clock().now() + told.rescans_in;
}

void FakeNvme::catch_up() {
  for (auto& one : controllers_)
    if (one.due && *one.due <= kernel_.clock().now()) {
      one.due.reset();
      rescan(one);
    }
}

/// nvme_scan_work: each path takes over what its target says, and the head what the path has.
void FakeNvme::rescan(FakeController& controller) {
  if (controller.state == "live" && controller.answers)
    for (auto& ns : controller.namespaces) {
      kernel_.device(ns.disk).size = ns.target_size;
      if (!ns.head.empty()) kernel_.device(ns.head).size = ns.target_size;
    }
  if (auto script = std::exchange(controller.when_rescanned, nullptr)) script();
}

Result<int> FakeNvme::control(FakeController& controller, unsigned long request, void* argument) {
  if (request != NVME_IOCTL_ADMIN_CMD) return system_failure(ENOTTY, "ioctl " + controller.name);
  const auto& command = *static_cast<const nvme_admin_cmd*>(argument);
  const bool of_namespace = command.cdw10 == 0;
  kernel_.note_question(
      fmt::format("Identify {:02x} {} nsid {}", command.cdw10, controller.name, command.nsid));
  if (of_namespace)
    if (auto script = std::exchange(controller.when_asked, nullptr)) script();
  if (!controller.answers || controller.state != "live")
    return system_failure(EINTR, "ioctl " + controller.name);
  FakeNamespace none;
  none.mapped = false;
  const auto* found = &none;
  for (const auto& ns : controller.namespaces)
    if (ns.nsid == command.nsid) found = &ns;
  if (found->status != 0) return found->status;
  if (!of_namespace && !controller.descriptors) return 0x4002;
  const auto page = of_namespace ? identify_namespace(*found) : identify_descriptors(*found);
  std::memcpy(reinterpret_cast<void*>(command.addr), page.data(), command.data_len);
  return 0;
}

}  // namespace volgrow
