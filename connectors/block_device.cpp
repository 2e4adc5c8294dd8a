// SPDX-License-Identifier: Apache-2.0
// sysfs' block/X and the node in /dev, and the proof that both still are the device they were.
#include "connectors/block_device.h"

#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <charconv>

namespace volgrow {
namespace {

std::string attribute_of(std::string_view device, std::string_view attribute) {
  return fmt::format("block/{}/{}", device, attribute);
}

/// "8:16" as dev_t.
Result<std::uint64_t> parse_device_number(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return failure(ErrorCode::internal, fmt::format("'{}' is no device number", text));
  auto major_number = parse_number(text.substr(0, colon), "major number");
  auto minor_number = parse_number(text.substr(colon + 1), "minor number");
  if (!major_number) return major_number;
  if (!minor_number) return minor_number;
  return makedev(static_cast<unsigned>(*major_number), static_cast<unsigned>(*minor_number));
}

std::unexpected<Error> another_device(std::string_view device, const DeviceIdentity& was,
                                      const DeviceIdentity& is) {
  return failure(ErrorCode::no_such_device,
                 fmt::format("the name {} belongs to another device now: {}:{} sequence {}, was "
                             "{}:{} sequence {}; resolve the volume again",
                             device, major(is.number), minor(is.number), is.diskseq,
                             major(was.number), minor(was.number), was.diskseq),
                 std::string(device));
}

/// A hidden disk (one path of NVMe's native multipath) has no device number, because nobody can
/// open it. Its sequence alone tells it apart; a kernel that has neither is one we cannot be sure
/// on.
Result<DeviceIdentity> hidden_identity(const Host& host, std::string_view device) {
  auto sequence = host.read(attribute_of(device, "diskseq"));
  if (!sequence)
    return failure(ErrorCode::not_supported,
                   fmt::format("{} has neither a device number nor a sequence (Linux 5.15): it "
                               "cannot be told from another device of that name",
                               device),
                   std::string(device));
  auto diskseq = parse_number(*sequence, "diskseq");
  if (!diskseq) return std::unexpected(std::move(diskseq.error()).during(device));
  return DeviceIdentity{0, *diskseq};
}

Result<void> still_is(const Host& host, std::string_view device, const DeviceIdentity& identity) {
  auto now = identity_of(host, device);
  if (!now) return std::unexpected(std::move(now.error()));
  if (*now == identity) return {};
  return another_device(device, identity, *now);
}

/// What the consumer sees. sysfs and the ioctl read the same field of the kernel, so where they
/// differ it changed between the two reads: once more, and the ioctl's answer counts.
Result<Bytes> consumer_size(Host& host, const Layer& layer, Bytes shown) {
  auto node = open_block(host, layer.device, layer.identity, Access::query);
  if (!node) return std::unexpected(std::move(node.error()));
  auto seen = size_by_ioctl(**node);
  if (!seen || *seen == shown) return seen;
  return size_by_ioctl(**node);
}

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text, std::string_view what) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed == std::errc() && rest == end) return number;
  return failure(ErrorCode::internal, fmt::format("{}: '{}' is no number", what, text));
}

Result<DeviceIdentity> identity_of(const Host& host, std::string_view device) {
  auto text = host.read(attribute_of(device, "dev"));
  if (!text && host.read(attribute_of(device, "hidden")).value_or("") == "1")
    return hidden_identity(host, device);
  if (!text) return std::unexpected(std::move(text.error()));
  auto number = parse_device_number(*text);
  if (!number) return std::unexpected(std::move(number.error()).during(device));
  auto sequence = host.read(attribute_of(device, "diskseq"));  // since Linux 5.15
  if (!sequence) return DeviceIdentity{*number, 0};
  auto diskseq = parse_number(*sequence, "diskseq");
  if (!diskseq) return std::unexpected(std::move(diskseq.error()).during(device));
  return DeviceIdentity{*number, *diskseq};
}

Result<Bytes> kernel_size_of(const Host& host, std::string_view device) {
  const auto attribute = attribute_of(device, "size");
  auto text = host.read(attribute);
  if (!text) return std::unexpected(std::move(text.error()));
  auto sectors = parse_number(*text, attribute);
  if (!sectors) return std::unexpected(std::move(sectors.error()));
  return from_sectors(*sectors);
}

Result<std::string> node_of(const Host& host, std::string_view device) {
  auto uevent = host.read(attribute_of(device, "uevent"));
  if (!uevent) return std::unexpected(std::move(uevent.error()));
  constexpr std::string_view key = "\nDEVNAME=";
  const auto text = "\n" + *uevent + "\n";
  const auto at = text.find(key);
  if (at == std::string::npos)
    return failure(ErrorCode::no_such_device, fmt::format("{} has no device node", device),
                   std::string(device));
  const auto from = at + key.size();
  return "/dev/" + text.substr(from, text.find('\n', from) - from);
}

Result<std::string> device_numbered(const Host& host, std::uint64_t number) {
  auto where = host.canonical_sysfs(fmt::format("dev/block/{}:{}", major(number), minor(number)));
  if (!where) return where;
  return where->substr(where->rfind('/') + 1);
}

Result<std::unique_ptr<OpenNode>> open_block(Host& host, std::string_view device,
                                             const DeviceIdentity& identity, Access access) {
  auto path = node_of(host, device);
  if (!path) return std::unexpected(std::move(path.error()));
  auto node = host.open(*path, access);
  if (!node) return node;
  auto status = (*node)->status();
  if (!status) return std::unexpected(std::move(status.error()));
  if (!S_ISBLK(status->mode) || status->device_number != identity.number)
    return failure(ErrorCode::no_such_device,
                   fmt::format("{} is not the node of {} ({}:{})", *path, device,
                               major(identity.number), minor(identity.number)),
                   std::string(device));
  // Asked after the open: from here on the descriptor keeps the device, whoever gets its name.
  if (auto same = still_is(host, device, identity); !same)
    return std::unexpected(std::move(same.error()));
  return node;
}

Result<Bytes> size_by_ioctl(OpenNode& node) {
  std::uint64_t bytes = 0;
  auto done = node.control(BLKGETSIZE64, &bytes);
  if (!done) return std::unexpected(std::move(done.error()));
  return Bytes(bytes);
}

Result<Measurement> measure_block(Host& host, const Layer& layer, bool consumer) {
  auto shown = kernel_size_of(host, layer.device);
  if (!shown) return std::unexpected(std::move(shown.error()));
  auto size = consumer ? consumer_size(host, layer, *shown) : shown;
  if (!size) return std::unexpected(std::move(size.error()));
  if (auto same = still_is(host, layer.device, layer.identity); !same)
    return std::unexpected(std::move(same.error()));
  return Measurement{*size, layer.identity,
                     host.read(attribute_of(layer.device, "device/state")).value_or("")};
}

}  // namespace volgrow
