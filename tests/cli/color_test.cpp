// SPDX-License-Identifier: Apache-2.0
// Colours appear on a terminal only, and never when they are not wanted.
#include "tests/cli/program_fixture.h"

namespace volgrow::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class AColour : public TheProgram {
 protected:
  AColour() {
    out_terminal = true;
    daemon.ends_with(a_result(JobState::complete));
  }
};

TEST_F(AColour, AppearsOnATerminal) {
  EXPECT_THAT(run({"extend", "/dev/loop0"}).out, HasSubstr("\x1b[32mcomplete\x1b[0m"));
}

TEST_F(AColour, StaysAwayFromAPipe) {
  out_terminal = false;

  EXPECT_THAT(run({"extend", "/dev/loop0"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(AColour, StaysAwayWhenItIsNotWanted) {
  EXPECT_THAT(run({"extend", "/dev/loop0", "--no-color"}).out, Not(HasSubstr("\x1b")));

  colors_unwanted = true;
  EXPECT_THAT(run({"extend", "/dev/loop0"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(AColour, IsNoPartOfJson) {
  EXPECT_THAT(run({"extend", "/dev/loop0", "--json"}).out, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace volgrow::cli
