// SPDX-License-Identifier: Apache-2.0
// One map on the kernel that reacts, and the multipathd that keeps it.
#include <gmock/gmock.h>

#include "connectors/all.h"
#include "tests/connectors/results.h"
#include "tests/fakes/fake_kernel.h"
#include "tests/fakes/fake_multipathd.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Wwid volume{WwidType::naa, "6001405a0102030405060708090a0b0c"};
const std::string wwid = "36001405a0102030405060708090a0b0c";

class AMap : public testing::Test {
 protected:
  AMap() {
    add_path("sda", "1:0:0:1");
    add_path("sdb", "2:0:0:1");
    kernel.add_map("dm-3", {"sda", "sdb"}, {.alias = "mpatha", .wwid = wwid});
  }

  void add_path(const std::string& name, const std::string& address) {
    kernel.add_disk(name, {.address = address, .size = 10_GiB, .wwid = volume});
  }
  void every_path_shows(Bytes size) {
    for (auto* path : kernel.paths())
      path->size = size;
  }

  Layer layer() { return multipath->describe(kernel, "dm-3").value(); }
  Deadline soon() { return within(3s, kernel.clock().now()); }
  Result<void> grow() { return multipath->grow(kernel, layer(), 20_GiB, soon()); }
  Result<void> evict(const std::string& member) {
    return multipath->evict(kernel, layer(), member, soon());
  }
  Result<void> adopt(const std::string& member) {
    return multipath->adopt(kernel, layer(), member, soon());
  }
  FakeMap& map() { return kernel.map("dm-3"); }
  FakeMultipathd& multipathd() { return kernel.multipathd(); }

  FakeKernel kernel;
  std::unique_ptr<Connector> multipath = multipath_connector();
};

TEST_F(AMap, IsClaimedByItsUuid) {
  kernel.add_map("dm-4", {"sda"}, {.alias = "vg-lv"}).uuid = "LVM-abcdef";
  kernel.add_map("dm-5", {"dm-3"}, {.alias = "mpatha1"}).uuid = "part1-mpath-" + wwid;

  EXPECT_TRUE(multipath->claims(kernel, "dm-3"));
  EXPECT_FALSE(multipath->claims(kernel, "dm-4"));
  EXPECT_FALSE(multipath->claims(kernel, "dm-5"));
  EXPECT_FALSE(multipath->claims(kernel, "dm-9"));
  EXPECT_FALSE(multipath->claims(kernel, "sda"));
}

TEST_F(AMap, IsDescribedWithItsNameAndItsMembers) {
  Layer expected;
  expected.connector = "multipath";
  expected.kind = LayerKind::multipath;
  expected.device = "dm-3";
  expected.identity = {map().number, map().diskseq};
  expected.name = "mpatha";
  expected.state = "active";
  expected.size = 10_GiB;
  expected.below = {"sda", "sdb"};

  EXPECT_EQ(layer(), expected);
}

TEST_F(AMap, CannotBeDescribedOnceItsNameIsSomethingElses) {
  map().uuid = "CRYPT-LUKS2-abc";

  EXPECT_THAT(multipath->describe(kernel, "dm-3"),
              FailsWith(ErrorCode::no_such_device, "no multipath map"));
  EXPECT_THAT(multipath->describe(kernel, "dm-9"), FailsWith(ErrorCode::no_such_device, "dm-9"));
}

TEST_F(AMap, HasNoTargetOfItsOwn) {
  EXPECT_THAT(multipath->probe(kernel, layer(), soon()),
              FailsWith(ErrorCode::not_supported, "dm-3"));
}

// ---- closed ------------------------------------------------------------------------------------

TEST_F(AMap, IsClosedWhileItIsSuspended) {
  map().suspended = true;

  const auto described = layer();

  EXPECT_EQ(described.state, "suspended");
  EXPECT_THAT(*described.closed,
              ErrorIs(ErrorCode::multipath_refused, "suspended by somebody else"));
  EXPECT_EQ(described.closed->device, "dm-3");
}

TEST_F(AMap, IsClosedWithoutMembers) {
  kernel.unstack("dm-3", "sda");
  kernel.unstack("dm-3", "sdb");

  EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::no_usable_path, "no path at all"));
}

TEST_F(AMap, IsClosedWhenItsNameIsNoWordOfACommand) {
  for (const auto* name : {"", "two words", "quo\"ted", "line\nfeed", "späte", "a;b", "a\\x20b"}) {
    map().alias = name;

    ASSERT_TRUE(layer().closed) << name;
    EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::multipath_refused, "alias"));
  }
}

TEST_F(AMap, IsOpenUnderEveryNameMultipathGives) {
  for (const auto* name : {"mpatha", "36001405a0102030405060708090a0b0c", "vol_1.a:b+c-d", "dm-3",
                           "dm-storage", "dm-"}) {
    map().alias = name;

    EXPECT_EQ(layer().closed, std::nullopt) << name;
  }
}

TEST_F(AMap, IsClosedWhenItsNameMeansAnotherMap) {
  for (const auto* name : {"dm-5", "dm-30", "dm-3a", "dm-+3"}) {
    map().alias = name;

    ASSERT_TRUE(layer().closed) << name;
    EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::multipath_refused, name));
  }
}

TEST_F(AMap, ThatIsReadOnlyOverWritablePathsIsClosed) {
  map().read_only = true;

  EXPECT_THAT(*layer().closed, ErrorIs(ErrorCode::multipath_refused, "make it writable"));
}

TEST_F(AMap, ThatIsReadOnlyBecauseOfItsPathsGrowsLikeAnyOther) {
  map().read_only = kernel.path("sdb").read_only = true;
  every_path_shows(20_GiB);

  EXPECT_THAT(grow(), Succeeds());
  EXPECT_EQ(map().size, 20_GiB);
}

TEST_F(AMap, ThatIsClosedIsSentNothing) {
  const auto open = layer();
  every_path_shows(20_GiB);
  map().suspended = true;

  EXPECT_THAT(multipath->grow(kernel, open, 20_GiB, soon()),
              FailsWith(ErrorCode::multipath_refused, "suspended"));
  EXPECT_THAT(multipath->evict(kernel, open, "sdb", soon()),
              FailsWith(ErrorCode::multipath_refused, "suspended"));
  add_path("sdc", "3:0:0:1");
  EXPECT_THAT(multipath->adopt(kernel, open, "sdc", soon()),
              FailsWith(ErrorCode::multipath_refused, "suspended"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

// ---- growing -----------------------------------------------------------------------------------

TEST_F(AMap, GrowsToTheSizeOfItsPathsByOneCommand) {
  every_path_shows(20_GiB);

  ASSERT_THAT(grow(), Succeeds());

  EXPECT_EQ(map().size, 20_GiB);
  EXPECT_THAT(kernel.changes(), ElementsAre("multipathd resize map mpatha"));
}

TEST_F(AMap, IsNotResizedAgainWhenMultipathdDidItByItself) {
  const auto before = layer();
  every_path_shows(20_GiB);
  map().size = 20_GiB;

  EXPECT_THAT(multipath->grow(kernel, before, 20_GiB, soon()), Succeeds());
  EXPECT_THAT(kernel.changes(), IsEmpty());
  EXPECT_THAT(kernel.questions(), IsEmpty());
}

TEST_F(AMap, IsResizedUnderTheNameItHasNow) {
  const auto before = layer();
  every_path_shows(20_GiB);
  map().alias = "renamed";

  EXPECT_THAT(multipath->grow(kernel, before, 20_GiB, soon()), Succeeds());
  EXPECT_THAT(kernel.changes(), ElementsAre("multipathd resize map renamed"));
}

TEST_F(AMap, WhoseNameIsAnothersNowIsSentNothing) {
  const auto before = layer();
  every_path_shows(20_GiB);
  kernel.reuse_name("dm-3");

  EXPECT_THAT(multipath->grow(kernel, before, 20_GiB, soon()),
              FailsWith(ErrorCode::no_such_device, "another map"));
  EXPECT_THAT(multipath->evict(kernel, before, "sdb", soon()),
              FailsWith(ErrorCode::no_such_device, "another map"));
  EXPECT_THAT(multipath->adopt(kernel, before, "sdc", soon()),
              FailsWith(ErrorCode::no_such_device, "another map"));
  EXPECT_THAT(multipath->measure(kernel, before, false),
              FailsWith(ErrorCode::no_such_device, "another device"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMap, IsNotResizedWhileAMemberShowsAnotherSize) {
  every_path_shows(20_GiB);
  kernel.path("sdb").size = 10_GiB;

  EXPECT_THAT(grow(), FailsWith(ErrorCode::paths_disagree, "sdb"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMap, IsResizedOverAMemberOfSizeZeroWhichTheKernelLetsPass) {
  every_path_shows(20_GiB);
  kernel.path("sdb").size = 0_B;

  EXPECT_THAT(grow(), Succeeds());
  EXPECT_EQ(map().size, 20_GiB);
}

TEST_F(AMap, IsRefusedWhenItsFirstMemberHasSizeZero) {
  every_path_shows(20_GiB);
  kernel.path("sda").size = 0_B;

  EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_refused, "resize map mpatha"));
  EXPECT_EQ(map().size, 10_GiB);
}

TEST_F(AMap, IsNeverShrunk) {
  map().size = 30_GiB;
  every_path_shows(20_GiB);

  EXPECT_THAT(grow(), FailsWith(ErrorCode::would_shrink, "mpatha"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMap, IsNotResizedWithoutAPathThatIsActiveForMultipathd) {
  every_path_shows(20_GiB);
  multipathd().failed = {"sda", "sdb"};

  EXPECT_THAT(grow(), FailsWith(ErrorCode::no_usable_path, "queued I/O fail"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMap, IsNotResizedForTheSakeOfAnothersActivePath) {
  every_path_shows(20_GiB);
  multipathd().failed = {"sda", "sdb"};
  kernel.add_disk("sdc", {.address = "1:0:0:2", .size = 20_GiB});
  kernel.add_disk("sd", {.address = "1:0:0:3", .size = 20_GiB, .wwid = volume});

  EXPECT_THAT(grow(), FailsWith(ErrorCode::no_usable_path, "mpatha"));
}

TEST_F(AMap, IsResizedWithOneActivePath) {
  every_path_shows(20_GiB);
  multipathd().failed = {"sda"};

  EXPECT_THAT(grow(), Succeeds());
}

TEST_F(AMap, ThatMultipathdRefusesToResizeSaysSo) {
  every_path_shows(20_GiB);
  map().growth_errno = EINVAL;

  EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_refused, "without a reason"));
  EXPECT_EQ(map().size, 10_GiB);
}

TEST_F(AMap, ThatMultipathdRefusesToResizeNamesTheReasonOfNewerVersions) {
  every_path_shows(20_GiB);
  map().growth_errno = EINVAL;
  multipathd().refusal = "fail\nmpatha: paths have\tdifferent sizes\n";

  EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_refused,
                                "'resize map mpatha': mpatha: paths have different sizes"));
}

TEST_F(AMap, IsNotTakenForGrownByAnAnswerNobodyKnows) {
  every_path_shows(20_GiB);
  map().growth_errno = EINVAL;
  multipathd().refusal = "permission deny: need to be root\n";

  EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_refused, "need to be root"));
}

TEST_F(AMap, IsGrownForAllThatIsToldWhenMultipathdLies) {
  every_path_shows(20_GiB);
  multipathd().ignores_commands = true;

  EXPECT_THAT(grow(), Succeeds());  // what came of it, only a measurement says
  EXPECT_EQ(multipath->measure(kernel, layer(), true)->size, 10_GiB);
}

TEST_F(AMap, IsGrownThoughTheAnswerWasLost) {
  every_path_shows(20_GiB);
  multipathd().dies_answering = true;

  EXPECT_THAT(grow(), Succeeds());
  EXPECT_EQ(map().size, 20_GiB);
}

TEST_F(AMap, IsWorthAnotherTryWhenMultipathdIsNotThere) {
  every_path_shows(20_GiB);
  multipathd().listens = false;

  EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_unavailable, "cannot be reached"));
  EXPECT_EQ(grow().error().device, "dm-3");
}

TEST_F(AMap, IsWorthAnotherTryWhenMultipathdHadNoTime) {
  every_path_shows(20_GiB);
  for (const int questions_before : {0, 1, 2}) {
    multipathd().timeouts_after = questions_before;
    multipathd().timeouts = 1;

    EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_unavailable, "too busy"))
        << questions_before;
    EXPECT_EQ(map().size, 10_GiB);
  }
  EXPECT_THAT(grow(), Succeeds());
}

TEST_F(AMap, IsWorthAnotherTryWhileMultipathdStarts) {
  every_path_shows(20_GiB);
  for (const auto* status : {"init", "startup", "configure", "shutdown"}) {
    multipathd().status = status;

    EXPECT_THAT(grow(), FailsWith(ErrorCode::multipath_unavailable, status));
  }
  EXPECT_THAT(kernel.changes(), IsEmpty());
  multipathd().status = "running";
  EXPECT_THAT(grow(), Succeeds());
}

TEST_F(AMap, IsTimedOutWhenMultipathdSaysNothing) {
  every_path_shows(20_GiB);
  multipathd().says_nothing = true;

  EXPECT_THAT(grow(), FailsWith(ErrorCode::timed_out, "did not answer"));
}

TEST_F(AMap, IsSentNothingWhenNoTimeIsLeft) {
  every_path_shows(20_GiB);

  EXPECT_THAT(multipath->grow(kernel, layer(), 20_GiB, Deadline{kernel.clock().now()}),
              FailsWith(ErrorCode::timed_out, ""));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

TEST_F(AMap, IsMeasuredWithItsState) {
  map().suspended = true;

  EXPECT_EQ(multipath->measure(kernel, layer(), false),
            (Measurement{10_GiB, {map().number, map().diskseq}, "suspended"}));
}

// ---- members -----------------------------------------------------------------------------------

TEST_F(AMap, LosesADeadPathAndGrowsWithoutIt) {
  kernel.path("sda").size = 20_GiB;
  kernel.path("sdb").state = "transport-offline";

  ASSERT_THAT(evict("sdb"), Succeeds());
  ASSERT_THAT(grow(), Succeeds());

  EXPECT_THAT(layer().below, ElementsAre("sda"));
  EXPECT_EQ(map().size, 20_GiB);
  EXPECT_THAT(kernel.changes(),
              ElementsAre("multipathd del path sdb", "multipathd resize map mpatha"));
}

TEST_F(AMap, TakesBackAPathThatShowsItsSize) {
  ASSERT_THAT(evict("sdb"), Succeeds());
  every_path_shows(20_GiB);
  ASSERT_THAT(grow(), Succeeds());

  ASSERT_THAT(adopt("sdb"), Succeeds());

  EXPECT_THAT(layer().below, ElementsAre("sda", "sdb"));
}

TEST_F(AMap, RefusesAPathThatStillHasTheOldSize) {
  ASSERT_THAT(evict("sdb"), Succeeds());
  kernel.path("sda").size = 20_GiB;
  ASSERT_THAT(grow(), Succeeds());

  EXPECT_THAT(adopt("sdb"), FailsWith(ErrorCode::multipath_refused, "'add path sdb'"));
  EXPECT_THAT(layer().below, ElementsAre("sda"));
}

TEST_F(AMap, WithoutMembersTakesBackTheOneThatReturns) {
  kernel.unstack("dm-3", "sda");
  kernel.unstack("dm-3", "sdb");

  EXPECT_THAT(adopt("sda"), Succeeds());
  EXPECT_THAT(layer().below, ElementsAre("sda"));
}

TEST_F(AMap, IsToldNothingOfAMemberThatIsOutOrInAlready) {
  ASSERT_THAT(adopt("sdb"), Succeeds());
  kernel.unstack("dm-3", "sdb");
  ASSERT_THAT(evict("sdb"), Succeeds());

  EXPECT_THAT(kernel.changes(), IsEmpty());
  EXPECT_THAT(kernel.questions(), IsEmpty());
}

TEST_F(AMap, KeepsItsLastPath) {
  kernel.unstack("dm-3", "sdb");

  EXPECT_THAT(evict("sda"), FailsWith(ErrorCode::no_usable_path, "last path of mpatha"));
  EXPECT_THAT(layer().below, ElementsAre("sda"));
}

TEST_F(AMap, IsWorthAnotherTryWhenMultipathdSaysOkAndChangesNoMember) {
  multipathd().ignores_commands = true;

  EXPECT_THAT(evict("sdb"),
              FailsWith(ErrorCode::multipath_unavailable, "sdb is still a member of mpatha"));
  kernel.unstack("dm-3", "sdb");
  EXPECT_THAT(adopt("sdb"),
              FailsWith(ErrorCode::multipath_unavailable, "sdb is not yet a member of mpatha"));
}

TEST_F(AMap, HasLostAMemberThoughTheAnswerWasLostToo) {
  multipathd().dies_answering = true;

  EXPECT_THAT(evict("sdb"), Succeeds());
  EXPECT_THAT(adopt("sdb"), Succeeds());
}

TEST_F(AMap, KeepsItsMembersWhileMultipathdIsAbsentOrStarts) {
  multipathd().listens = false;
  EXPECT_THAT(evict("sdb"), FailsWith(ErrorCode::multipath_unavailable, "cannot be reached"));
  multipathd().listens = true;
  multipathd().status = "configure";
  EXPECT_THAT(evict("sdb"), FailsWith(ErrorCode::multipath_unavailable, "configure"));

  EXPECT_THAT(layer().below, ElementsAre("sda", "sdb"));
}

TEST_F(AMap, SaysWhyAPathMultipathdMustNotUseIsNotTakenBack) {
  ASSERT_THAT(evict("sdb"), Succeeds());
  multipathd().blacklisted = {"sdb"};

  EXPECT_THAT(adopt("sdb"), FailsWith(ErrorCode::multipath_refused, "blacklisted"));
}

TEST_F(AMap, IsToldNoNameOfAPathThatIsNoWord) {
  EXPECT_THAT(adopt("cciss!c0d0"), FailsWith(ErrorCode::multipath_refused, "cciss!c0d0"));
  EXPECT_THAT(kernel.changes(), IsEmpty());
}

}  // namespace
}  // namespace volgrow
