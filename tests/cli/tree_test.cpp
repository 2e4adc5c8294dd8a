// SPDX-License-Identifier: Apache-2.0
// The tree, whole: what an operator sees for each kind of result.
#include "cli/tree.h"

#include <gmock/gmock.h>

#include <sstream>

#include "cli/table.h"

namespace volgrow::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

LayerResult a_path(std::string device, std::string address, std::string state) {
  LayerResult path;
  path.kind = LayerKind::path;
  path.device = std::move(device);
  path.address = std::move(address);
  path.transport = "iscsi";
  path.endpoint = "10.0.0.1:3260,iqn.x";
  path.state = std::move(state);
  path.before_bytes = 10_GiB;
  path.target_bytes = 20_GiB;
  return path;
}

LayerResult an_upper(LayerKind kind, std::string device, std::string name) {
  LayerResult layer;
  layer.kind = kind;
  layer.device = std::move(device);
  layer.name = std::move(name);
  layer.before_bytes = 10_GiB;
  layer.after_bytes = 20_GiB;
  layer.action = LayerAction::resized;
  layer.duration = Duration(2100);
  return layer;
}

/// The picture of the architecture page: two paths, a map, crypt.
JobResult a_deep_stack() {
  auto good = a_path("sda", "1:0:0:1", "running");
  good.after_bytes = 20_GiB;
  good.action = LayerAction::rescanned;
  good.duration = Duration(4100);
  auto bad = a_path("sdb", "2:0:0:1", "transport-offline");
  bad.target_bytes.reset();
  bad.action = LayerAction::evicted;
  bad.reason = "no answer for 6 s";
  JobResult result;
  result.job = 17;
  result.volume_id = "vol-1";
  result.state = JobState::degraded;
  result.identity = IdentityProof::pinned;
  result.wwid = Wwid{WwidType::naa, "6001405"};
  result.previous = 10_GiB;
  result.size = 20_GiB;
  result.device = "/dev/dm-7";
  result.layers = {good, bad, an_upper(LayerKind::multipath, "dm-3", "mpatha"),
                   an_upper(LayerKind::crypt, "dm-7", "crypt-1")};
  result.duration = Duration(18200);
  return result;
}

std::string tree_of(const JobResult& result, TreeStyle style = {}) {
  std::ostringstream out;
  print_tree(out, result, style);
  return out.str();
}

TEST(ATree, ShowsTheConsumerFirstAndThePathsSideBySide) {
  EXPECT_EQ("\n" + tree_of(a_deep_stack()),
            R"(
job 17: extend vol-1: degraded, 10 GiB → 20 GiB (10737418240 → 21474836480 bytes), in 18 ms
/dev/dm-7  naa.6001405  identity pinned
└─ crypt         dm-7 (crypt-1)                                    10 GiB → 20 GiB  resized    2.1 ms
   └─ multipath  dm-3 (mpatha)                                     10 GiB → 20 GiB  resized    2.1 ms
      ├─ path    sda             1:0:0:1 iscsi  running            10 GiB → 20 GiB  rescanned  4.1 ms
      └─ path    sdb             2:0:0:1 iscsi  transport-offline  10 GiB           evicted            no answer for 6 s
where the time went: dm-7 2.1 ms, dm-3 2.1 ms, sda (slowest of 2) 4.1 ms, everything else 9.9 ms
)");
}

TEST(ATree, ShowsEndPointsAndExactBytesWhenVerbose) {
  const auto tree = tree_of(a_deep_stack(), {.verbose = true});

  EXPECT_THAT(tree, HasSubstr("1:0:0:1 iscsi 10.0.0.1:3260,iqn.x"));
  EXPECT_THAT(tree, HasSubstr("10 GiB → 20 GiB (10737418240 → 21474836480 bytes)  rescanned"));
}

TEST(ATree, ShowsBytesWhereRoundingWouldHideADifference) {
  auto result = a_deep_stack();
  result.layers.front().after_bytes = 10_GiB + 512_B;
  result.layers.front().target_bytes = 10_GiB + 1024_B;

  EXPECT_THAT(tree_of(result),
              HasSubstr("10737418240 → 10737418752 bytes, target says 10 GiB (10737419264 bytes)"));
}

TEST(ATree, SaysThatASizeIsUnknownRatherThanNothing) {
  auto result = a_deep_stack();
  result.layers[1].before_bytes.reset();

  EXPECT_THAT(tree_of(result), HasSubstr("transport-offline  size unknown"));
}

TEST(ATree, OfAnUnresolvedVolumeIsItsHeadline) {
  JobResult result;
  result.state = JobState::failed;
  result.error = Error{ErrorCode::no_such_device, "no /dev/sdz", "", 0};

  EXPECT_EQ(tree_of(result), "extend volume: failed\n");
}

TEST(ATree, IsColouredOnlyWhenAsked) {
  EXPECT_THAT(tree_of(a_deep_stack()), Not(HasSubstr("\x1b")));
  EXPECT_THAT(tree_of(a_deep_stack(), {.color = true}), HasSubstr("\x1b[33mdegraded\x1b[0m"));
}

TEST(ATree, EscapesNamesFromOutside) {
  auto result = a_deep_stack();
  result.volume_id = "\x1b[2J";
  result.layers[2].name = "mpath\na";
  result.layers[0].device = "sda\x07";
  result.diagnosis = Diagnosis{"sdb\r", "gone\n", "\x1b]0;x\x07"};

  const auto tree = tree_of(result);

  EXPECT_THAT(tree, HasSubstr("mpath\\x0aa"));
  EXPECT_EQ(tree.find_first_of("\x1b\x07\r"), std::string::npos);
}

TEST(ATable, LeavesOutColumnsThatAreEmpty) {
  std::ostringstream out;

  print_table(out, {{{"a"}, {""}, {"b"}}, {{"long"}, {""}, {""}}}, Paint(false));

  EXPECT_EQ(out.str(), "a     b\nlong\n");
}

TEST(ATable, CountsCodePointsNotBytes) {
  std::ostringstream out;

  print_table(out, {{{"é→"}, {"x"}}, {{"abc"}, {"y"}}}, Paint(false));

  EXPECT_EQ(out.str(), "é→   x\nabc  y\n");
}

}  // namespace
}  // namespace volgrow::cli
