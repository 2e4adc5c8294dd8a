// SPDX-License-Identifier: Apache-2.0
// The whole program in this process: a command line goes in, standard output, standard error and
// the exit status come out. The daemon is fake, the machine is a temporary directory and a fake
// volume.
#pragma once

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"
#include "tests/cli/fake_daemon.h"

namespace volgrow::cli {

class TheProgram : public testing::Test {
 protected:
  struct Ran {
    int status = -1;
    std::string out;
    std::string err;
  };

  ~TheProgram() override { std::filesystem::remove_all(root); }

  Ran run(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    if (out_broken) out.setstate(std::ios::badbit);
    Surroundings around{
        .console = {out, err, out_terminal, err_terminal},
        .clock = clock,
        .connect = [this](const std::string& address) { return connect(address); },
        .perform = perform,
        .run_apart = [](const std::function<int()>& work) { return work(); },
        .standard_input = standard_input,
        .root = is_root,
        .colors_unwanted = colors_unwanted,
        .root_directory = root,
    };
    std::vector<const char*> argv{"volgrow"};
    for (const auto& argument : arguments)
      argv.push_back(argument.c_str());
    const int status = cli::run(static_cast<int>(argv.size()), argv.data(), around);
    return {status, out.str(), err.str()};
  }

  std::string file(const std::string& name, const std::string& text) {
    const auto path = root / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  Result<std::unique_ptr<bus::Client>> connect(const std::string& address) {
    daemon.address = address;
    if (daemon.unreachable) return std::unexpected(*daemon.unreachable);
    return std::make_unique<FakeClient>(daemon);
  }

  static std::filesystem::path new_directory() {
    std::string name = testing::TempDir() + "volgrow-cli-XXXXXX";
    return ::mkdtemp(name.data());
  }

  FakeDaemon daemon;
  SystemClock clock;
  Performer perform;
  bool out_terminal = false;
  bool err_terminal = false;
  bool out_broken = false;
  bool is_root = true;
  bool colors_unwanted = false;
  int standard_input = -1;
  std::filesystem::path root = new_directory();
};

/// A loop volume that ended in `state`, 10 GiB before and `size` now.
inline JobResult a_result(JobState state, Bytes size = 20_GiB, JobId job = 17) {
  LayerResult layer;
  layer.kind = LayerKind::loop;
  layer.device = "loop0";
  layer.endpoint = "/srv/disk.img";
  layer.target_bytes = size;
  layer.before_bytes = 10_GiB;
  layer.after_bytes = size;
  layer.action = size == 10_GiB ? LayerAction::unchanged : LayerAction::rescanned;
  JobResult result;
  result.job = job;
  result.volume_id = "vol-1";
  result.state = state;
  result.identity = IdentityProof::pinned;
  result.previous = 10_GiB;
  result.volume = size;
  result.size = size;
  result.device = "/dev/loop0";
  result.layers = {layer};
  return result;
}

inline JobResult a_failure(JobState state, ErrorCode code, const std::string& message) {
  auto result = a_result(state, 10_GiB);
  result.error = Error{code, message, "loop0", 0};
  return result;
}

inline std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace volgrow::cli
