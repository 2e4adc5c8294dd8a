// SPDX-License-Identifier: Apache-2.0
// What explain says of a path that is away, by its transport and by what is known of it.
#include "stack/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_nvme.h"
#include "tests/stack/a_volume.h"

namespace volgrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class APathThatIsAway : public AVolume {
 protected:
  FakePath& with_disk(const std::string& transport) {
    kernel.add_disk("sda", {.address = "1:0:0:1", .transport = transport});
    return kernel.path("sda");
  }
  Diagnosis explained() {
    Request request;
    request.operation = Operation::explain;
    const auto result = run(request);
    EXPECT_TRUE(result.diagnosis);
    return result.diagnosis.value_or(Diagnosis{});
  }
};

TEST_F(APathThatIsAway, ByISCSIIsLookedForInItsSessionAndAtItsPortal) {
  with_disk("iscsi").state = "transport-offline";

  const auto [device, problem, fix] = explained();

  EXPECT_EQ(device, "sda");
  EXPECT_THAT(problem, HasSubstr("device state is 'transport-offline'"));
  EXPECT_THAT(
      fix, AllOf(StartsWith("iscsiadm -m session -P 1"), HasSubstr("is 10.0.0.1:3260 reachable?"),
                 HasSubstr("then volgrow rescan /dev/sda")));
}

TEST_F(APathThatIsAway, ByFibreChannelIsLookedForAtItsPort) {
  with_disk("fc").state = "blocked";

  EXPECT_THAT(explained().fix, AllOf(HasSubstr("link and zoning"),
                                     HasSubstr("/sys/class/fc_remote_ports/*/port_state")));
}

TEST_F(APathThatIsAway, ByNVMeIsLookedForAtItsController) {
  FakeNvme nvme(kernel);
  nvme.add_controller("nvme0").state = "connecting";
  nvme.add_joined({"nvme0"});
  subject = "dev:nvme0n1";

  const auto [device, problem, fix] = explained();

  EXPECT_EQ(device, "nvme0c0n1");
  EXPECT_THAT(problem, HasSubstr("connecting"));
  EXPECT_THAT(fix, StartsWith("nvme list-subsys"));
}

TEST_F(APathThatIsAway, ThoughItsLinkLooksWellIsLookedForAtTheTargetToo) {
  with_disk("iscsi").answers = false;

  EXPECT_THAT(explained().fix, AllOf(StartsWith("see at the target whether it maps the volume"),
                                     HasSubstr("iscsiadm")));
}

TEST_F(APathThatIsAway, ThoughItsControllerIsLiveIsLookedForAtTheTargetToo) {
  FakeNvme nvme(kernel);
  nvme.add_controller("nvme0").answers = false;
  nvme.add_joined({"nvme0"});
  subject = "dev:nvme0n1";

  EXPECT_THAT(explained().fix, AllOf(StartsWith("see at the target whether it maps the volume"),
                                     HasSubstr("nvme list-subsys")));
}

TEST_F(APathThatIsAway, BecauseItsTargetDoesNotMapItIsMappedThere) {
  with_disk("iscsi").unmapped = true;

  EXPECT_THAT(explained().fix, AllOf(StartsWith("map the volume to this host at the target again"),
                                     Not(HasSubstr("iscsiadm"))));
}

TEST_F(APathThatIsAway, BecauseSomebodyTookItOfflineIsTakenOnlineAgain) {
  with_disk("fc").state = "offline";

  EXPECT_THAT(explained().fix, StartsWith("echo running > /sys/block/sda/device/state"));
}

}  // namespace
}  // namespace volgrow
