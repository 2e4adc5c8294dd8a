// SPDX-License-Identifier: Apache-2.0
// What the tests of stack/ share: a fake kernel with multipath maps and crypt devices on top of its
// paths, and an executor that performs every batch inline, on the fake clock.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "connectors/all.h"
#include "connectors/connector.h"
#include "core/bytes.h"
#include "stack/job.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): test vocabulary

/// Maps and crypt devices as the stack sees them. What they do with a resize is scripted by the
/// fields of FakeDevice, so that these tests show the product's rules, not multipathd's.
class FakeDmConnector final : public Connector {
 public:
  FakeDmConnector(LayerKind kind, std::string uuid_prefix, Bytes overhead)
      : kind_(kind), uuid_prefix_(std::move(uuid_prefix)), overhead_(overhead) {}

  std::string_view name() const override { return uuid_prefix_; }
  bool claims(const Host& host, std::string_view device) const override;
  Result<Layer> describe(Host& host, std::string_view device) const override;
  Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline) const override;
  Result<void> evict(Host& host, const Layer& map, const std::string& member,
                     Deadline) const override;
  Result<void> adopt(Host& host, const Layer& map, const std::string& member,
                     Deadline) const override;
  Result<Measurement> measure(Host& host, const Layer& layer, bool) const override;

  std::optional<Error> closed;
  std::optional<Error> refuses;  ///< what is answered instead of doing what was asked
  /// How often it is, before it gives in.
  mutable int refusals = std::numeric_limits<int>::max();

 private:
  Result<void> willing() const;

  LayerKind kind_;
  std::string uuid_prefix_;
  Bytes overhead_;
};

inline constexpr Bytes crypt_header = Bytes(16 << 20);

class AVolume : public testing::Test {
 protected:
  AVolume();

  /// sda … in the order of their letters, all of one 10 GiB volume, beneath the map dm-3.
  void with_paths(std::size_t count);
  /// One more path to it, member of no map.
  void add_path(const std::string& name, const std::string& address);
  void with_single_path() { kernel.add_disk("sda", {.address = "1:0:0:1"}); }
  void with_crypt_on(const std::string& below);

  static Request to(Bytes expected);
  static Request any_growth() { return {}; }

  JobResult run(Request request, Duration deadline = 30s);
  JobResult run(Job& job);
  Job job_for(Request request, Duration deadline = 30s);
  /// Performs every step of one batch, in its order; results in the same order.
  std::vector<StepResult> perform_all(const Batch& batch);

  FakeKernel kernel;
  FakeDmConnector* maps = nullptr;
  FakeDmConnector* crypts = nullptr;
  Connectors connectors;
  std::string subject = "dev:sda";
  std::function<void(const Batch&)> before_batch;
  std::function<void(const Batch&, std::vector<StepResult>&)> after_batch;
};

/// The layer of that device, as the result shows it.
const LayerResult& layer(const JobResult& result, const std::string& device);

}  // namespace volgrow
