// SPDX-License-Identifier: Apache-2.0
// How Linux shows one transport or one layer. A new one is one file that implements this and one
// line in connectors.cpp; nothing else in the product changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/host.h"
#include "connectors/layer.h"
#include "core/clock.h"
#include "core/connection_info.h"
#include "core/error.h"

namespace volgrow {

/// Asks and does one thing at a time, to one layer. Never waits, judges or starts threads.
/// Stateless: every method may run in any process.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual std::string_view name() const = 0;

  /// Whether connection_info of this `driver_volume_type` is this connector's to understand.
  virtual bool speaks(std::string_view driver_volume_type) const;
  /// Every device of that connection present now, by kernel name or file path, each once; empty
  /// when there is none. Errors: BadConnectionInfo that names the key.
  virtual Result<std::vector<std::string>> discover(Host& host, const ConnectionInfo& info) const;

  /// Whether `device` (kernel name, or path of a file) is a layer of this kind.
  virtual bool claims(const Host& host, std::string_view device) const = 0;
  /// What is made of `device`, where the kernel's own list (holders/) does not say it.
  virtual std::vector<std::string> above(const Host& host, std::string_view device) const;
  /// The layer as the kernel shows it now. Errors: NoSuchDevice.
  virtual Result<Layer> describe(Host& host, std::string_view device) const = 0;
  /// That part of describe() alone which may have changed since, for less. Errors: NoSuchDevice.
  virtual Result<Standing> standing(Host& host, std::string_view device) const;
  /// Asks the target for size and identity; changes nothing. Errors: NoUsablePath, TimedOut,
  /// NoSuchDevice when the target has no such volume any more.
  virtual Result<Truth> probe(Host& host, const Layer& layer, Deadline deadline) const;
  /// Makes the kernel take over the size from below: a rescan, or a resize to `to`. Success says
  /// only that the request was made; measure() says what came of it.
  virtual Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline deadline) const = 0;
  /// Takes a dead path, by kernel name, out of `map`, which it would hold at its old size; once
  /// this succeeds it is no member. Errors: MultipathUnavailable (nobody did it: worth another
  /// try), MultipathRefused.
  virtual Result<void> evict(Host& host, const Layer& map, const std::string& member,
                             Deadline deadline) const;
  /// Makes a path that shows the map's size a member. Errors: as evict().
  virtual Result<void> adopt(Host& host, const Layer& map, const std::string& member,
                             Deadline deadline) const;
  /// Reads the layer again; `consumer`: it is the top one, read by BLKGETSIZE64 as well. Errors:
  /// NoSuchDevice when the name now belongs to another device.
  virtual Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const = 0;
};

/// All connectors of this build. Immutable; the first that claims a device has it.
class Connectors {
 public:
  explicit Connectors(std::vector<std::unique_ptr<Connector>> all);

  const Connector* speaking(std::string_view driver_volume_type) const;
  const Connector* claiming(const Host& host, std::string_view device) const;
  const Connector* named(std::string_view name) const;

 private:
  std::vector<std::unique_ptr<Connector>> all_;
};

/// `file_roots`: image files are volumes only beneath these directories (canonical paths).
Connectors all_connectors(std::vector<std::string> file_roots);

}  // namespace volgrow
