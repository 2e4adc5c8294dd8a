// SPDX-License-Identifier: Apache-2.0
// What every block device has, whatever its driver: an identity within this boot, a size, a node.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connectors/host.h"
#include "connectors/layer.h"

namespace volgrow {

/// An unsigned decimal number, as sysfs writes it. Errors: Internal with the text.
Result<std::uint64_t> parse_number(std::string_view text, std::string_view what);

/// dev_t and diskseq of the device that has this kernel name now; a hidden disk has no dev_t.
/// Errors: NoSuchDevice, NotSupported when nothing tells a hidden disk from another.
Result<DeviceIdentity> identity_of(const Host& host, std::string_view device);

/// block/X/size. Errors: NoSuchDevice.
Result<Bytes> kernel_size_of(const Host& host, std::string_view device);

/// "/dev/cciss/c0d0" of "cciss!c0d0". Errors: NoSuchDevice.
Result<std::string> node_of(const Host& host, std::string_view device);

/// The kernel name behind a device number. Errors: NoSuchDevice.
Result<std::string> device_numbered(const Host& host, std::uint64_t number);

/// Opens the device's node once name, node and `identity` are the same device. Errors:
/// NoSuchDevice when one of them is another.
Result<std::unique_ptr<OpenNode>> open_block(Host& host, std::string_view device,
                                             const DeviceIdentity& identity, Access access);

/// BLKGETSIZE64.
Result<Bytes> size_by_ioctl(OpenNode& node);

/// Connector::measure() of a block device; `state` as sysfs shows it, "" where there is none.
Result<Measurement> measure_block(Host& host, const Layer& layer, bool consumer);

}  // namespace volgrow
