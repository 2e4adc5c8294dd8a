// SPDX-License-Identifier: Apache-2.0
// SCSI disks that no transport of ours carries.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"

namespace volgrow {
namespace {

TEST(AScsiDiskWithoutATransport, IsLocalAndHasNoEndpoint) {
  FakeKernel kernel;
  kernel.add_disk("sdb", {.address = "0:0:0:0"});
  const auto scsi = scsi_connector();

  const auto described = scsi->describe(kernel, "sdb");

  ASSERT_THAT(described, Succeeds());
  EXPECT_TRUE(scsi->claims(kernel, "sdb"));
  EXPECT_EQ(described->connector, "scsi");
  EXPECT_EQ(described->transport, "local");
  EXPECT_EQ(described->endpoint, "");
  EXPECT_EQ(described->closed, std::nullopt);
}

}  // namespace
}  // namespace volgrow
