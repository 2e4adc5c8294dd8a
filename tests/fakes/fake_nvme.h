// SPDX-License-Identifier: Apache-2.0
// NVMe subsystems for the kernel in memory: controllers that are asked by Identify and rescan when
// told to, hidden disks for their paths and heads above them, as nvme_core and nvmet would. A
// rescan is done some time after it was asked for.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/identity.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {

/// One namespace as one controller's target shows it. Fields may be set at any time.
struct FakeNamespace {
  std::string disk;  ///< "nvme0c0n1", or "nvme0n1" without native multipath
  std::string head;  ///< "nvme0n1"; empty without native multipath
  std::uint32_t nsid = 1;
  Bytes target_size;
  int block_bits = 9;
  std::optional<Wwid> identity;  ///< what the target answers now
  bool mapped = true;            ///< false: Identify is all zeros
  int status = 0;                ///< what Identify ends with instead of an answer
  std::string ana_state = "optimized";
};

struct FakeController {
  std::string name;  ///< "nvme0"
  std::string state = "live";
  bool descriptors = true;  ///< false: CNS 03h is an invalid field, as before NVMe 1.3
  bool answers = true;      ///< false: a command ends as the kernel ends those of a lost controller
  bool deaf = false;        ///< a rescan "succeeds" and changes nothing
  Duration rescans_in = std::chrono::milliseconds(300);
  std::function<void()> when_rescanned;  ///< run after the next rescan, once
  std::function<void()> when_asked;      ///< run before the next Identify Namespace, once
  std::optional<TimePoint> due;          ///< a rescan that was asked for and not yet done
  std::deque<FakeNamespace> namespaces;
};

struct ControllerOptions {
  std::string transport = "tcp";
  std::string address = "traddr=10.0.0.1,trsvcid=4420,src_addr=10.0.0.9";
  std::string subsystem = "nqn.2026-01.org.volgrow:subsystem";
  std::string host = "nqn.2014-08.org.nvmexpress:uuid:0a";
};

struct NamespaceOptions {
  std::uint32_t nsid = 1;
  Bytes size = Bytes(std::uint64_t{10} << 30);
  int block_bits = 9;
  std::optional<Wwid> identity = Wwid{WwidType::uuid, "00000000000040008000000000000005"};
};

class FakeNvme {
 public:
  explicit FakeNvme(FakeKernel& kernel) : kernel_(kernel) {}

  FakeController& add_controller(const std::string& name, ControllerOptions options = {});
  FakeController& controller(const std::string& name);
  /// The namespace "nvme0nNSID" of subsystem 0, joined by the kernel over these controllers.
  void add_joined(const std::vector<std::string>& controllers, NamespaceOptions options = {});
  /// A disk of one controller's own: "nvme1n1" of "nvme1".
  void add_single(const std::string& controller, NamespaceOptions options = {});
  /// As the path "nvme0c1n1", or the disk "nvme1n1", shows it.
  FakeNamespace& path(const std::string& disk);
  /// Of every path to the namespace: it has grown at its target, and nobody was told.
  void target_grows(Bytes size);
  /// The target tells this controller, which rescans by itself.
  void announce(const std::string& controller);

 private:
  void add_disk(FakeController& controller, FakeNamespace made, Bytes size);
  void add_head(const std::string& head, const NamespaceOptions& options);
  void publish_identity(const std::string& disk, const NamespaceOptions& options);
  void show_size(const std::string& disk);
  void catch_up();
  void rescan(FakeController& controller);
  Result<int> control(FakeController& controller, unsigned long request, void* argument);

  FakeKernel& kernel_;
  std::deque<FakeController> controllers_;
};

}  // namespace volgrow
