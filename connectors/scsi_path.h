// SPDX-License-Identifier: Apache-2.0
// One path to a SCSI logical unit: what every sd disk does, whatever carries its commands. A
// transport says which disks are its own, what is at the other end, and when the way is shut; which
// paths belong to one volume, and what to do with them, is decided elsewhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/connector.h"

namespace volgrow {

/// Where a disk is in the device tree: the folder names say which transport carries it.
struct ScsiPlace {
  std::string address;               ///< "1:0:0:1"
  std::string host;                  ///< "host1"
  std::vector<std::string> folders;  ///< from the root of sysfs down to the address

  /// The innermost folder whose name begins with `prefix`: "session1", "rport-1:0-2".
  std::optional<std::string> folder(std::string_view prefix) const;
};

/// Whether `text` is H:C:T:L, the name of a SCSI device.
bool is_scsi_address(std::string_view text);

/// One word of the kernel's that must be `wanted` before anything is sent down a path.
struct ScsiGate {
  std::string what;
  std::optional<std::string> found;  ///< none: this path has no such gate
  std::string_view wanted;
};

/// A connector's name() is not its transport: iSER and iSCSI over TCP are one connector.
class ScsiPath : public Connector {
 public:
  bool claims(const Host& host, std::string_view device) const final;
  Result<Layer> describe(Host& host, std::string_view device) const final;
  Result<Standing> standing(Host& host, std::string_view device) const final;
  /// READ CAPACITY(16) and VPD page 0x83, both live.
  Result<Truth> probe(Host& host, const Layer& layer, Deadline deadline) const final;
  Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline deadline) const final;
  Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const final;

 protected:
  /// Whether this transport carries the disk at `place`.
  virtual bool carries(const ScsiPlace& place) const = 0;
  /// As Layer::transport.
  virtual std::string transport(const Host& host, const ScsiPlace& place) const = 0;
  /// As Layer::endpoint; "" where there is nothing to say.
  virtual std::string endpoint(const Host& host, const ScsiPlace& place) const = 0;
  /// What the transport itself says about the way to the target; nullopt: it says nothing.
  virtual std::optional<ScsiGate> gate(const Host& host, const ScsiPlace& place) const = 0;
};

}  // namespace volgrow
