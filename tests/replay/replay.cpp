// SPDX-License-Identifier: Apache-2.0
// Reads captures, and says layers in words where a test fails.
#include "tests/replay/replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "core/files.h"
#include "tests/connectors/results.h"

namespace volgrow {
namespace {

const std::filesystem::path folder = VOLGROW_SOURCE_DIR "/tests/captures";

}  // namespace

void PrintTo(const Layer& layer, std::ostream* out) {
  *out << fmt::format(
      "{}{}{} {} {}:{} seq {} '{}' {} {} '{}' '{}' size {} overhead {} target {} below [{}] {}\n",
      layer.connector, layer.lost_from.empty() ? "" : " lost from ", layer.lost_from, layer.device,
      major(layer.identity.number), minor(layer.identity.number), layer.identity.diskseq,
      layer.name, layer.address, layer.transport, layer.endpoint, layer.state,
      layer.size ? std::to_string(layer.size->count()) : "none", layer.overhead.count(),
      layer.has_target, fmt::join(layer.below, " "), layer.closed ? layer.closed->message : "open");
}

void PrintTo(const Stack& stack, std::ostream* out) {
  *out << '\n';
  for (const auto& layer : stack.layers)
    PrintTo(layer, out);
}

std::vector<std::filesystem::path> all_captures() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".capture") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

Capture capture_in(const std::filesystem::path& file) {
  const auto text = read_text_file(file, 16_MiB);
  auto capture = text ? parse_capture(*text) : std::unexpected(text.error());
  if (capture) return std::move(*capture);
  fmt::print(stderr, "{}: {}\n", file.string(), capture.error().message);
  std::abort();
}

Layer iscsi_path(std::string device, DeviceIdentity identity, std::string address,
                 std::string endpoint, Bytes size) {
  Layer layer;
  layer.connector = "iscsi";
  layer.kind = LayerKind::path;
  layer.device = std::move(device);
  layer.identity = identity;
  layer.address = std::move(address);
  layer.transport = "iscsi";
  layer.endpoint = std::move(endpoint);
  layer.state = "running";
  layer.size = size;
  layer.has_target = true;
  return layer;
}

Layer multipath_map(std::string device, DeviceIdentity identity, std::string name, Bytes size,
                    std::vector<std::string> below) {
  Layer layer;
  layer.connector = "multipath";
  layer.kind = LayerKind::multipath;
  layer.device = std::move(device);
  layer.identity = identity;
  layer.name = std::move(name);
  layer.state = "active";
  layer.size = size;
  layer.below = std::move(below);
  return layer;
}

Stack in_order(Stack stack) {
  std::ranges::stable_sort(stack.layers, {}, [](const Layer& layer) {
    const bool is_path = layer.kind == LayerKind::path || layer.kind == LayerKind::nvme_path;
    return std::pair(!is_path, is_path ? layer.device : "");
  });
  return stack;
}

ARecordedHost::ARecordedHost(const std::string& name)
    : ARecordedHost(folder / (name + ".capture")) {}

Result<Stack> ARecordedHost::resolved(std::string_view subject) {
  const auto parsed = parse_subject(subject);
  if (!parsed) return std::unexpected(parsed.error());
  const auto connectors = all_connectors({});
  const Deadline deadline(host.clock().now() + std::chrono::seconds(1));
  auto stack = resolve(*parsed, connectors, host, deadline);
  if (!stack) return stack;
  return in_order(std::move(*stack));
}

}  // namespace volgrow
