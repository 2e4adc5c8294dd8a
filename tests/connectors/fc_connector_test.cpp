// SPDX-License-Identifier: Apache-2.0
// A path over Fibre Channel: what tells it from others, its end point, its gate.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

class AnFcPath : public testing::Test {
 protected:
  AnFcPath() { kernel.add_disk("sdb", {.address = "3:0:1:0", .transport = "fc"}); }

  FakeKernel kernel;
  std::unique_ptr<Connector> fc = fc_connector();
};

TEST_F(AnFcPath, IsToldFromOtherDisksByItsRemotePort) {
  kernel.add_disk("sdc", {.address = "1:0:0:1", .transport = "iscsi"});
  kernel.add_disk("sdd", {.address = "0:0:0:0"});

  EXPECT_TRUE(fc->claims(kernel, "sdb"));
  EXPECT_FALSE(fc->claims(kernel, "sdc"));
  EXPECT_FALSE(fc->claims(kernel, "sdd"));
}

TEST_F(AnFcPath, IsDescribedWithItsRemotePort) {
  const auto described = fc->describe(kernel, "sdb");

  ASSERT_THAT(described, Succeeds());
  EXPECT_EQ(described->connector, "fc");
  EXPECT_EQ(described->transport, "fc");
  EXPECT_EQ(described->endpoint, "0x500a098100000001");
  EXPECT_EQ(described->closed, std::nullopt);
}

TEST_F(AnFcPath, IsClosedWhileItsRemotePortIsBlocked) {
  kernel.path("sdb").port_state = "Blocked";

  EXPECT_THAT(*fc->describe(kernel, "sdb")->closed,
              ErrorIs(ErrorCode::no_usable_path, "FC remote port is 'Blocked'"));
}

}  // namespace
}  // namespace volgrow
