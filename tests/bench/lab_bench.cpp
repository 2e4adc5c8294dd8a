// SPDX-License-Identifier: Apache-2.0
// What volgrow costs over the bare kernel and multipathd, and what it saves over os-brick, on real
// iSCSI paths and maps. Runs in the lab's machine, started by lab.sh, which has made the volumes;
// everything compared is measured in this one run, in turn, on the same volumes.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "connectors/multipathd_socket.h"
#include "core/files.h"
#include "core/json.h"
#include "core/result.h"
#include "dbus/client.h"
#include "tests/bench/measuring.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 11;
/// Of a process that imports os-brick first: a minute each in the lab, so only for two paths.
constexpr int cold_rounds = 10;
/// Of fifty volumes, which os-brick does one after the other: minutes each.
constexpr int long_rounds = 1;
constexpr Duration patience = 120s;

// --- the volumes, as lab.sh describes them

struct Volume {
  std::string id;
  std::string
      file;  ///< the storage: a file behind the loop device `loop`, which the target exports
  std::string loop;
  std::string map;  ///< dm name; empty: one path, no map
  std::vector<std::string> paths;
  std::string connection;  ///< Cinder's connection_info

  std::string node() const { return map.empty() ? "/dev/" + paths.front() : "/dev/mapper/" + map; }
};
using Volumes = std::vector<Volume>;

std::string text_at(const Value& value, std::string_view key) {
  const auto* found = value.find(key);
  const auto* text = found != nullptr ? found->text() : nullptr;
  if (text == nullptr) give_up(fmt::format("a volume without '{}'", key));
  return *text;
}

Volume volume_of(const Value& value) {
  Volume volume{text_at(value, "id"),
                text_at(value, "file"),
                text_at(value, "loop"),
                text_at(value, "map"),
                {},
                to_json(*value.find("connection"))};
  for (const auto& path : *value.find("paths")->array())
    volume.paths.push_back(*path.text());
  return volume;
}

/// case → its volumes
std::vector<std::pair<std::string, Volumes>> read_cases(const std::string& file) {
  std::vector<std::pair<std::string, Volumes>> cases;
  const auto whole = must(parse_json(must(read_text_file(file, 1_MiB))));
  for (const auto& one : *whole.array()) {
    Volumes volumes;
    for (const auto& volume : *one.find("volumes")->array())
      volumes.push_back(volume_of(volume));
    cases.emplace_back(text_at(one, "case"), std::move(volumes));
  }
  return cases;
}

Bytes device_bytes(const std::string& node) {
  const Fd fd(::open(node.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::uint64_t bytes = 0;
  if (!fd || ::ioctl(fd.get(), BLKGETSIZE64, &bytes) != 0) give_up("BLKGETSIZE64 of " + node);
  return Bytes(bytes);
}

/// At the storage alone; nobody is told.
void grow_storage(const Volume& volume, Bytes size) {
  const Fd loop(::open(volume.loop.c_str(), O_RDWR | O_CLOEXEC));
  if (::truncate(volume.file.c_str(), static_cast<off_t>(size.count())) != 0 ||
      ::ioctl(loop.get(), LOOP_SET_CAPACITY, 0) != 0)
    give_up("the storage of " + volume.id + " does not grow");
}

/// The rounds before have told udev things it works on for a while; nobody should pay for
/// another's.
void await_quiet() {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::filesystem::exists("/run/udev/queue")) {
    if (std::chrono::steady_clock::now() > end) give_up("udev does not come to rest");
    std::this_thread::sleep_for(20ms);
  }
}

// --- the floor: nothing but what cannot be left out

void rescan(const std::string& path) {
  const Fd fd(
      ::open(fmt::format("/sys/class/block/{}/device/rescan", path).c_str(), O_WRONLY | O_CLOEXEC));
  if (::write(fd.get(), "1", 1) != 1) give_up("rescan of " + path);
}

/// multipathd does one command at a time, and answers `timeout` to those it keeps waiting.
void resize_map(const std::string& map) {
  static std::mutex one_at_a_time;
  static const SystemClock clock;
  const std::scoped_lock lock(one_at_a_time);
  const auto reply =
      must(multipathd_command({}, "resize map " + map, within(patience, clock.now()), clock));
  if (reply != "ok\n") give_up("multipathd answered " + reply);
}

void floor_of(const Volume& volume) {
  std::vector<std::jthread> rescans;
  for (const auto& path : volume.paths)
    rescans.emplace_back([&path] { rescan(path); });
  rescans.clear();
  if (!volume.map.empty()) resize_map(volume.map);
  device_bytes(volume.node());
}

void by_the_floor(const Volumes& volumes) {
  std::vector<std::jthread> all;
  for (const auto& volume : volumes)
    all.emplace_back([&volume] { floor_of(volume); });
}

// --- volgrow, through D-Bus

class Volgrow {
 public:
  explicit Volgrow(const Volumes& volumes) : client_(must(bus::Client::connect(""))) {
    for (const auto& volume : volumes)
      must(client_->register_volume(volume.id, volume.connection, {}));
  }

  /// As the virt layer would send the events; until every job has ended.
  void grow(const Volumes& volumes, Bytes size) {
    RequestOptions options;
    options.deadline = patience;
    jobs_.clear();
    for (const auto& volume : volumes)
      jobs_.push_back(must(client_->volume_changed(volume.id, size, options)));
    for (const auto job : jobs_)
      if (const auto end = must(client_->wait(job, patience)); end.state != "complete")
        give_up("job ended " + end.state + ": " + end.result_json);
  }
  JobResult last_result() {
    return must(parse_job_result(must(client_->wait(jobs_.back(), patience)).result_json));
  }

 private:
  std::unique_ptr<bus::Client> client_;
  std::vector<JobId> jobs_;
};

// --- os-brick, in a Python process of its own

/// brick.py: a line of connection_info in, "microseconds size" out.
class Brick {
 public:
  Brick() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) give_up("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execlp("python3", "python3", "brick.py", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    to_ = Fd(in[1]);
    const Fd closed_in(in[0]);
    const Fd closed_out(out[1]);
    from_ = ::fdopen(out[0], "r");
    answer();
  }
  Brick(const Brick&) = delete;
  Brick& operator=(const Brick&) = delete;
  ~Brick() {
    to_ = Fd();
    if (from_ != nullptr) std::fclose(from_);
    ::waitpid(pid_, nullptr, 0);
  }

  /// Microseconds as Python measured them around extend_volume alone.
  double grow(const Volume& volume, Bytes size) {
    const auto line = volume.connection + "\n";
    if (::write(to_.get(), line.data(), line.size()) < 0) give_up("os-brick is gone");
    const auto said = answer();
    const auto space = said.find(' ');
    if (said.substr(space + 1) != std::to_string(size.count()) + "\n")
      give_up("os-brick answered " + said);
    return std::strtod(said.c_str(), nullptr);
  }

 private:
  std::string answer() {
    std::array<char, 4096> line{};
    if (std::fgets(line.data(), line.size(), from_) == nullptr) give_up("os-brick is gone");
    return line.data();
  }

  pid_t pid_ = -1;
  Fd to_;
  FILE* from_ = nullptr;
};

// --- rounds

/// One case: the same volumes grown in turn by every way, one MiB each time.
class Contest {
 public:
  Contest(std::string name, Volumes volumes)
      : name_(std::move(name)), volumes_(std::move(volumes)), ours_(volumes_) {
    for (const auto& volume : volumes_)
      size_ = std::max(size_, device_bytes(volume.node()));
  }

  void run(Brick& brick);
  void print() const;

 private:
  void grow_by(const std::string& way, const std::function<double()>& grow);
  void note_layers();
  void print_row(const std::string& way) const;

  std::string name_;
  Volumes volumes_;
  Volgrow ours_;
  Bytes size_;
  std::map<std::string, Series> ways_;
  std::map<std::string, Series> layers_;
};

void Contest::grow_by(const std::string& way, const std::function<double()>& grow) {
  size_ = size_ + 1_MiB;
  for (const auto& volume : volumes_)
    grow_storage(volume, size_);
  await_quiet();
  ways_[way].micros.push_back(grow());
  for (const auto& volume : volumes_)
    if (device_bytes(volume.node()) != size_) give_up(way + ": " + volume.id + " did not grow");
}

/// Of the last job: what its slowest path took, its map, and the job as a whole.
void Contest::note_layers() {
  std::map<std::string, Duration> took;
  const auto result = ours_.last_result();
  for (const auto& layer : result.layers) {
    auto& slowest = took[std::string(name_of(layer.kind))];
    slowest = std::max(slowest, layer.duration);
  }
  for (const auto& [kind, duration] : took)
    layers_["  of it growing, " + kind].micros.push_back(Micros(duration).count());
  layers_["  of it the job"].micros.push_back(Micros(result.duration).count());
}

void Contest::run(Brick& brick) {
  const bool one = volumes_.size() == 1;
  const bool typical = one && volumes_.front().paths.size() == 2;
  for (int i = 0; i < rounds; ++i) {
    grow_by("floor", [&] { return timed([&] { by_the_floor(volumes_); }); });
    grow_by("volgrow", [&] { return timed([&] { ours_.grow(volumes_, size_); }); });
    if (one) note_layers();
    if (!one && i >= long_rounds) continue;
    grow_by("os-brick, warm", [&] {
      double sum = 0;
      for (const auto& volume : volumes_)
        sum += brick.grow(volume, size_);
      return sum;
    });
  }
  for (int i = 0; typical && i < cold_rounds; ++i)
    grow_by("os-brick, cold",
            [&] { return timed([&] { Brick().grow(volumes_.front(), size_); }); });
}

void Contest::print_row(const std::string& way) const {
  const auto& series = ways_.at(way);
  fmt::print("  {:<26} {:>9.1f} {:>9.1f} {:>9.1f}   {:>8.2f} x {:>8.2f} x\n", way,
             series.median() / 1000, series.quantile(0.1) / 1000, series.quantile(0.9) / 1000,
             series.median() / ways_.at("floor").median(),
             series.median() / ways_.at("volgrow").median());
}

void Contest::print() const {
  fmt::print("{:<28} {:>9} {:>9} {:>9}   {:>10} {:>10}\n", name_ + ", ms", "median", "p10", "p90",
             "/ floor", "/ volgrow");
  for (const auto& [way, series] : ways_)
    print_row(way);
  for (const auto& [what, series] : layers_)
    fmt::print("  {:<26} {:>9.1f} {:>9.1f} {:>9.1f}\n", what, series.median() / 1000,
               series.quantile(0.1) / 1000, series.quantile(0.9) / 1000);
  fmt::print("\n");
  std::fflush(stdout);
}

void run_all(const std::string& file) {
  Brick brick;
  for (auto& [name, volumes] : read_cases(file)) {
    Contest contest(name, volumes);
    contest.run(brick);
    contest.print();
  }
}

}  // namespace
}  // namespace volgrow

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_lab CASES.json\n", stderr);
    return 2;
  }
  try {
    volgrow::run_all(argv[1]);
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "bench_lab: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
