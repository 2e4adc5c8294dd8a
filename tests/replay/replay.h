// SPDX-License-Identifier: Apache-2.0
// A recorded host in tests/captures/, what the product finds on it, and the layers to compare with.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/sysmacros.h>

#include "stack/resolve.h"
#include "tests/connectors/results.h"
#include "tests/fakes/recorded_host.h"

namespace volgrow {

void PrintTo(const Layer& layer, std::ostream* out);
void PrintTo(const Stack& stack, std::ostream* out);

/// Every *.capture, sorted.
std::vector<std::filesystem::path> all_captures();
/// Stops the test program when the file is no capture.
Capture capture_in(const std::filesystem::path& file);

/// What a path of iSCSI looks like that nothing is wrong with; a test changes what is.
Layer iscsi_path(std::string device, DeviceIdentity identity, std::string address,
                 std::string endpoint, Bytes size);
Layer multipath_map(std::string device, DeviceIdentity identity, std::string name, Bytes size,
                    std::vector<std::string> below);

/// Paths first by name, as they have no order among each other; what is above them follows.
Stack in_order(Stack stack);

/// One recorded host, from which the product only reads.
class ARecordedHost : public testing::Test {
 protected:
  /// `name`: of a file in tests/captures/, without ".capture".
  explicit ARecordedHost(const std::string& name);
  explicit ARecordedHost(const std::filesystem::path& file) : host(capture_in(file)) {}
  void TearDown() override { EXPECT_THAT(host.changes(), testing::IsEmpty()); }

  /// `subject`: what an operator may type: a TARGET, or connection_info.
  Result<Stack> resolved(std::string_view subject);

  RecordedHost host;
};

/// A success with exactly these layers.
MATCHER_P(HasLayers, layers, "") {
  if (arg.has_value() && arg->layers == layers) return true;
  if (result_listener->stream() == nullptr) return false;
  if (arg.has_value()) PrintTo(*arg, result_listener->stream());
  if (!arg.has_value()) PrintTo(arg.error(), result_listener->stream());
  return false;
}

}  // namespace volgrow
