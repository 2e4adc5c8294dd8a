// SPDX-License-Identifier: Apache-2.0
// What volgrow costs over the bare kernel and multipathd, and what it saves over os-brick, on real
// iSCSI, Fibre Channel and NVMe paths and maps. Runs in the lab's machine, started by lab.sh, which
// has made the volumes; everything compared is measured in this one run, in turn, on the same
// volumes.
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
#include <future>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
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
/// Of many volumes at once, which take minutes in the lab.
constexpr int long_rounds = 3;
/// os-brick does many volumes one after the other: of those, so many are measured.
constexpr std::size_t brick_sample = 5;
/// Of a process that imports os-brick first: a minute each in the lab.
constexpr int cold_rounds = 10;
constexpr Duration patience = 900s;

// --- the volumes, as lab.sh describes them

struct Volume {
  std::string id;
  std::string file;                  ///< its storage
  std::string loop;                  ///< the loop device over `file` that the target exports
  std::string map;                   ///< dm name; empty: no dm map
  std::string node;                  ///< what its consumer opens
  std::vector<std::string> rescans;  ///< files to which a rescan of its paths is written
  std::string connection;            ///< Cinder's connection_info
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
                text_at(value, "node"),
                {},
                to_json(*value.find("connection"))};
  for (const auto& rescan : *value.find("rescans")->array())
    volume.rescans.push_back(*rescan.text());
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

void await(const std::string& what, const std::function<bool()>& is_so, Duration pause = 20ms) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) give_up("waited in vain: " + what);
    std::this_thread::sleep_for(pause);
  }
}

bool udev_rests() {
  return !std::filesystem::exists("/run/udev/queue");
}

/// How often volgrowd's processes have gone to sleep.
std::uint64_t naps_of_volgrowd() {
  std::uint64_t naps = 0;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    const auto status = read_text_file(process.path() / "status", 64_KiB);
    if (!status || !status->starts_with("Name:\tvolgrowd\n")) continue;
    constexpr std::string_view key = "\nvoluntary_ctxt_switches:";
    naps += std::strtoull(status->c_str() + status->find(key) + key.size(), nullptr, 10);
  }
  return naps;
}

/// volgrowd looks at a volume again after a second at the earliest: only if it sleeps for longer
/// has it nothing left to look at.
constexpr Duration longer_than_between_looks = 1500ms;

/// The rounds before have sent events, at which udev and volgrowd look: nobody should pay for
/// another's.
void await_quiet() {
  await("udev comes to rest", udev_rests);
  std::optional<std::uint64_t> before;
  const auto stayed_asleep = [&] {
    const auto now = naps_of_volgrowd();
    return std::exchange(before, now) == now;
  };
  await("volgrowd comes to rest", stayed_asleep, longer_than_between_looks);
}

// --- the floor: nothing but what cannot be left out

void rescan(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (::write(fd.get(), "1", 1) != 1) give_up("no rescan by " + file);
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

/// What volumes have in common, a controller of NVMe, is rescanned once.
class Rescans {
 public:
  explicit Rescans(const Volumes& volumes) {
    for (const auto& volume : volumes)
      for (const auto& file : volume.rescans)
        if (!ends_.contains(file))
          ends_.emplace(file, std::async(std::launch::async, rescan, file).share());
  }
  void await(const Volume& volume) const {
    for (const auto& file : volume.rescans)
      ends_.at(file).get();
  }

 private:
  std::map<std::string, std::shared_future<void>> ends_;
};

/// A controller's rescan is only begun by the write; the size follows.
void follow(const Volume& volume, Bytes size) {
  await(
      volume.id + " follows", [&] { return device_bytes(volume.node) == size; }, 1ms);
}

void by_the_floor(const Volumes& volumes, Bytes size) {
  const Rescans rescans(volumes);
  std::vector<std::future<void>> all;
  for (const auto& volume : volumes)
    all.push_back(std::async(std::launch::async, [&] {
      rescans.await(volume);
      if (!volume.map.empty()) resize_map(volume.map);
      follow(volume, size);
    }));
  for (auto& one : all)
    one.get();
}

// --- volgrow, through D-Bus

class Volgrow {
 public:
  explicit Volgrow(const Volumes& volumes) : client_(must(bus::Client::connect(""))) {
    for (const auto& volume : volumes)
      must(client_->register_volume(volume.id, volume.connection, {}));
  }

  /// As the virt layer would send the events; until every job has ended. A namespace that follows
  /// another's rescan before its own job begins is found unchanged; all sizes are compared later.
  void grow(const Volumes& volumes, Bytes size) {
    RequestOptions options;
    options.deadline = patience;
    jobs_.clear();
    for (const auto& volume : volumes)
      jobs_.push_back(must(client_->volume_changed(volume.id, size, options)));
    for (const auto job : jobs_)
      if (const auto end = must(client_->wait(job, patience));
          end.state != "complete" && end.state != "unchanged")
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
      size_ = std::max(size_, device_bytes(volume.node));
  }

  void run(Brick& brick);
  /// With os-brick in a process that begins anew each time.
  void run_cold();
  void print() const;

 private:
  bool one() const { return volumes_.size() == 1; }
  void round(Brick& brick, bool with_brick);
  void by_the_floor_and_by_us();
  void grow_by(const std::string& way, const Volumes& volumes, const std::function<double()>& grow);
  void by_brick(Brick& brick);
  void note_layers();
  void print_row(const std::string& way) const;

  std::string name_;
  Volumes volumes_;
  Volgrow ours_;
  Bytes size_;
  std::map<std::string, Series> ways_;
  std::map<std::string, Series> rests_;  ///< until what it set off, udev's rules, has ended too
  std::map<std::string, Series> layers_;
};

void Contest::grow_by(const std::string& way, const Volumes& volumes,
                      const std::function<double()>& grow) {
  size_ = size_ + 1_MiB;
  await_quiet();
  for (const auto& volume : volumes)
    grow_storage(volume, size_);
  double took = 0;
  const auto rested = timed([&] {
    took = grow();
    await("udev comes to rest", udev_rests);
  });
  ways_[way].micros.push_back(took);
  rests_[way].micros.push_back(rested);
  for (const auto& volume : volumes)
    if (device_bytes(volume.node) != size_) give_up(way + ": " + volume.id + " did not grow");
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

void Contest::by_brick(Brick& brick) {
  const Volumes sample(volumes_.begin(), volumes_.begin() + static_cast<long>(std::min(
                                                                brick_sample, volumes_.size())));
  const auto way =
      one() ? std::string("os-brick, warm") : fmt::format("os-brick, {} of them", sample.size());
  grow_by(way, sample, [&] {
    double sum = 0;
    for (const auto& volume : sample)
      sum += brick.grow(volume, size_);
    return sum;
  });
}

void Contest::by_the_floor_and_by_us() {
  grow_by("floor", volumes_, [&] { return timed([&] { by_the_floor(volumes_, size_); }); });
  grow_by("volgrow", volumes_, [&] { return timed([&] { ours_.grow(volumes_, size_); }); });
  if (one()) note_layers();
}

void Contest::round(Brick& brick, bool with_brick) {
  by_the_floor_and_by_us();
  if (with_brick) by_brick(brick);
}

void Contest::run(Brick& brick) {
  for (int i = 0; i < (one() ? rounds : long_rounds); ++i)
    round(brick, one() || i == 0);
}

void Contest::run_cold() {
  for (int i = 0; i < cold_rounds; ++i) {
    by_the_floor_and_by_us();
    grow_by("os-brick, cold", volumes_,
            [&] { return timed([&] { Brick().grow(volumes_.front(), size_); }); });
  }
}

void Contest::print_row(const std::string& way) const {
  const auto& series = ways_.at(way);
  fmt::print("  {:<26} {:>9.1f} {:>9.1f} {:>9.1f}   {:>8.2f} x {:>8.2f} x {:>11.1f}\n", way,
             series.median() / 1000, series.quantile(0.1) / 1000, series.quantile(0.9) / 1000,
             series.median() / ways_.at("floor").median(),
             series.median() / ways_.at("volgrow").median(), rests_.at(way).median() / 1000);
}

void Contest::print() const {
  fmt::print("{:<28} {:>9} {:>9} {:>9}   {:>10} {:>10} {:>11}\n", name_ + ", ms", "median", "p10",
             "p90", "/ floor", "/ volgrow", "udev rests");
  for (const auto& [way, series] : ways_)
    print_row(way);
  for (const auto& [what, series] : layers_)
    fmt::print("  {:<26} {:>9.1f} {:>9.1f} {:>9.1f}\n", what, series.median() / 1000,
               series.quantile(0.1) / 1000, series.quantile(0.9) / 1000);
  fmt::print("\n");
  std::fflush(stdout);
}

void cold_contest(const std::string& file) {
  auto [name, volumes] = read_cases(file).front();
  Contest contest(name, volumes);
  contest.run_cold();
  contest.print();
}

void contest(const std::string& file) {
  Brick brick;
  for (auto& [name, volumes] : read_cases(file)) {
    Contest contest(name, volumes);
    contest.run(brick);
    contest.print();
  }
}

/// Grows the volumes of the first case in turn, `jobs` times in all, each when udev's programs for
/// the one before have ended; a line for each, its microseconds.
void latencies(const std::string& file, int jobs) {
  const auto volumes = read_cases(file).front().second;
  Volgrow ours(volumes);
  for (int i = 0; i < jobs; ++i) {
    const Volumes next{volumes.at(static_cast<std::size_t>(i) % volumes.size())};
    const auto size = device_bytes(next.front().node) + 1_MiB;
    await("udev comes to rest", udev_rests);
    grow_storage(next.front(), size);
    fmt::print("{:.0f}\n", timed([&] { ours.grow(next, size); }));
  }
}

}  // namespace
}  // namespace volgrow

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  try {
    if (what == "contest" && argc == 3) {
      volgrow::contest(argv[2]);
    } else if (what == "cold" && argc == 3) {
      volgrow::cold_contest(argv[2]);
    } else if (what == "latencies" && argc == 4) {
      volgrow::latencies(argv[2], std::atoi(argv[3]));
    } else {
      std::fputs(
          "usage: bench_lab contest CASES.json | cold CASES.json | latencies CASES.json JOBS\n",
          stderr);
      return 2;
    }
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "bench_lab: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
