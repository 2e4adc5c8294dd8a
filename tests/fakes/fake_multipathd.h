// SPDX-License-Identifier: Apache-2.0
// The multipathd of the fake kernel: what version 0.9.4 on Linux 6.1 does to maps and answers, as
// it was measured in the lab. It knows the commands the product sends and refuses every other.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

class FakeKernel;
struct FakeMap;
struct FakePath;

class FakeMultipathd {
 public:
  explicit FakeMultipathd(FakeKernel& kernel) : kernel_(kernel) {}

  // The world as a test wants it; may change at any time.
  bool listens = true;
  bool says_nothing = false;       ///< the command is not carried out and the deadline passes
  bool dies_answering = false;     ///< it is carried out, and then the connection breaks
  bool ignores_commands = false;   ///< answers `ok` and does nothing
  int timeouts_after = 0;          ///< how many of the next commands it still has time for
  int timeouts = 0;                ///< how many after those are answered `timeout`
  std::string status = "idle";     ///< what `show daemon` says it is doing
  std::string refusal = "fail\n";  ///< versions since 0.9.8 name a reason in further lines
  std::set<std::string> failed;    ///< paths its checker has given up, whatever the kernel thinks
  std::set<std::string> blacklisted;  ///< by its configuration
  std::set<std::string> deleted;      ///< by `del path`: it does not know them any more

  Result<std::string> answer(std::string_view command, Deadline deadline);

 private:
  bool has_time();
  std::string carry_out(const std::string& command);
  std::string resize(std::string_view named);
  std::string delete_path(const std::string& name);
  std::string add_path(const std::string& name);
  std::string show_paths();
  FakeMap* map_named(std::string_view named);
  FakeMap* map_of(const FakePath& path);
  std::vector<FakePath*> members_of(const FakeMap& map);

  FakeKernel& kernel_;
};

}  // namespace volgrow
