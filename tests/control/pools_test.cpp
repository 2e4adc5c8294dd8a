// SPDX-License-Identifier: Apache-2.0
// Which back end a new volume goes to.
#include "control/pools.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/fakes/fake_back_ends.h"
#include "tests/fakes/fake_time_loop.h"

namespace volgrow::control {
namespace {

class TwoPools : public testing::Test {
 protected:
  TwoPools() {
    config.backends.backends = {{.name = "first", .path = "/first"},
                                {.name = "second", .path = "/second"}};
  }
  /// Where a volume of no special type goes.
  std::optional<std::string> chosen(Bytes first, Bytes second) {
    back_ends.back_ends = {{"first", {.total = first}}, {"second", {.total = second}}};
    pools.start();
    EXPECT_TRUE(loop.run_until([this] { return pools.known().size() == 2 && !loop.ringing(); }));
    return pools.choose({}, 1);
  }

  FakeTimeLoop loop;
  FakeBackEnds back_ends{loop};
  std::ostringstream lines;
  std::unique_ptr<Log> log = stream_log(lines, LogLevel::debug);
  Config config;
  Pools pools{{loop, loop.clock(), back_ends, config, *log}};
};

TEST_F(TwoPools, GiveAVolumeToTheOneWithMostRoom) {
  EXPECT_EQ(chosen(100_GiB, 200_GiB), "second");
}

TEST_F(TwoPools, AreTakenInTheirOrderWhenBothMeasureTheSameFileSystem) {
  EXPECT_EQ(chosen(100_GiB, 100_GiB + Bytes(4096)), "first");
}

}  // namespace
}  // namespace volgrow::control
