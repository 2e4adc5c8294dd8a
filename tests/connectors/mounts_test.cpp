// SPDX-License-Identifier: Apache-2.0
// The mount table as the kernel writes it.
#include "connectors/mounts.h"

#include <gmock/gmock.h>

namespace volgrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TheMountTable, GivesPointTypeAndSource) {
  EXPECT_THAT(parse_mountinfo("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n"),
              ElementsAre(Mount{"/mnt2", "ext3", "/dev/root"}));
}

TEST(TheMountTable, HasAnyNumberOfOptionalFields) {
  EXPECT_THAT(parse_mountinfo("1 0 0:1 / /a rw - nfs4 h:/x rw\n"
                              "2 0 0:1 / /b rw shared:1 master:2 unbindable - nfs4 h:/y rw"),
              ElementsAre(Mount{"/a", "nfs4", "h:/x"}, Mount{"/b", "nfs4", "h:/y"}));
}

TEST(TheMountTable, EscapesWhatSeparates) {
  EXPECT_THAT(parse_mountinfo("1 0 0:1 / /a\\040b\\134c\\9 rw - nfs4 h:/x\\040y rw"),
              ElementsAre(Mount{"/a b\\c\\9", "nfs4", "h:/x y"}));
}

TEST(TheMountTable, SkipsWhatIsNoLineOfIt) {
  EXPECT_THAT(parse_mountinfo("\n\nnonsense\n1 0 0:1 / /a rw nfs4 h:/x rw\n1 0 0:1 / /a rw -\n"),
              IsEmpty());
}

}  // namespace
}  // namespace volgrow
