// SPDX-License-Identifier: Apache-2.0
// What volgrow costs over the bare kernel, and what it saves over typing. Everything compared is
// measured in this one run, in turn, on loop devices of this machine; needs root.
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "dbus/client.h"
#include "tests/bench/measuring.h"
#include "tests/fakes/private_bus.h"
#include "tests/fakes/real_loop.h"
#include "tests/fakes/running_daemon.h"

namespace volgrow {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 51;
constexpr std::size_t many = 1000;
constexpr Bytes small = 64_MiB;
constexpr Bytes step = 1_MiB;

void print_row(const std::string& what, const Series& series, const Series& floor) {
  fmt::print("  {:<46} {:>9.0f} {:>9.0f} {:>9.0f}   {:>7.2f} x\n", what, series.median(),
             series.quantile(0.1), series.quantile(0.9), series.median() / floor.median());
}

// --- the three ways to grow one loop device
// --------------------------------------------------------

Bytes device_bytes(int node) {
  std::uint64_t bytes = 0;
  if (::ioctl(node, BLKGETSIZE64, &bytes) != 0) give_up("BLKGETSIZE64 failed");
  return Bytes(bytes);
}

void by_the_floor(const RealLoop& loop) {
  const Fd node(::open(("/dev/" + loop.name()).c_str(), O_RDWR | O_CLOEXEC));
  if (::ioctl(node.get(), LOOP_SET_CAPACITY, 0) != 0) give_up("LOOP_SET_CAPACITY failed");
  device_bytes(node.get());
}

void run_program(std::vector<std::string> words) {
  const auto child = ::fork();
  if (child == 0) {
    const Fd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(nothing.get(), STDOUT_FILENO);
    std::vector<char*> pointers;
    for (auto& word : words)
      pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execvp(pointers.front(), pointers.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) give_up(words.front() + " failed");
}

void by_hand(const RealLoop& loop) {
  run_program({"losetup", "-c", "/dev/" + loop.name()});
  run_program({"blockdev", "--getsize64", "/dev/" + loop.name()});
}

void by_volgrow(bus::Client& client, const std::string& id, Bytes size) {
  const auto job = must(client.volume_changed(id, size, {}));
  const auto end = must(client.wait(job, 30s));
  if (end.state != "complete") give_up("job ended " + end.state + ": " + end.result_json);
}

// --- the host under test
// ---------------------------------------------------------------------------

class Bench {
 public:
  Bench()
      : daemon_({VOLGROW_BIN_DIR "/volgrowd",
                 bus_.address(),
                 "[log]\nlevel = \"warning\"\n",
                 {},
                 {},
                 memory_.path()}) {
    if (!daemon_.start()) give_up("volgrowd did not start: " + daemon_.log());
    client_ = must(bus::Client::connect(bus_.address()));
  }

  void one_volume();
  void many_volumes();
  void idle();

 private:
  std::string file_of(std::size_t i) const { return files_ / fmt::format("volume-{}", i); }
  void attach(std::size_t count);
  void register_volume(std::size_t i);
  void grow_all();
  std::size_t wrong_sizes(Bytes size);
  void print_memory(const std::string& when) const;
  std::vector<pid_t> processes() const;

  testing::PrivateBus bus_;
  TemporaryDirectory memory_{"/dev/shm"};  // as /run is; locks on a disk are none of our figures
  testing::RunningDaemon daemon_;
  std::unique_ptr<bus::Client> client_;
  TemporaryDirectory files_;
  std::vector<std::unique_ptr<RealLoop>> loops_;
};

void Bench::attach(std::size_t count) {
  while (loops_.size() < count) {
    const auto file = file_of(loops_.size());
    resize_sparse(file, small);
    auto loop = RealLoop::attach(file);
    if (!loop) give_up("this machine gives no more loop devices");
    loops_.push_back(std::move(loop));
  }
}

void Bench::register_volume(std::size_t i) {
  must(client_->register_volume(
      fmt::format("vol-{}", i),
      fmt::format(R"({{"driver_volume_type":"local","data":{{"device_path":"/dev/{}"}}}})",
                  loops_[i]->name()),
      {}));
}

/// Three loop devices, one for each way, so that the daemon has nothing to look at but its own.
void Bench::one_volume() {
  attach(3);
  register_volume(0);
  Series floor, hand, ours;
  auto size = small;
  const auto grow = [&](std::size_t i, Series& series, const std::function<void()>& way) {
    resize_sparse(file_of(i), size);
    series.micros.push_back(timed(way));
    if (device_bytes(loops_[i]->node()) != size) give_up("the device did not grow");
  };
  for (int i = 0; i < rounds; ++i) {
    size = size + step;
    grow(0, ours, [&] { by_volgrow(*client_, "vol-0", size); });
    grow(1, floor, [&] { by_the_floor(*loops_[1]); });
    grow(2, hand, [&] { by_hand(*loops_[2]); });
  }
  fmt::print("(a) one loop volume, {} rounds, in turn              median       p10       p90\n",
             rounds);
  print_row("floor: LOOP_SET_CAPACITY + BLKGETSIZE64, us", floor, floor);
  print_row("volgrow: D-Bus call -> verified result, us", ours, floor);
  print_row("by hand: losetup -c, blockdev --getsize64, us", hand, floor);
  fmt::print(
      "  volgrow above the floor: {:.2f} ms (aim: within 5 ms); by hand / volgrow: {:.2f}\n\n",
      (ours.median() - floor.median()) / 1000, hand.median() / ours.median());
}

std::size_t Bench::wrong_sizes(Bytes size) {
  std::size_t wrong = 0;
  for (const auto& volume : must(client_->volumes()))
    wrong += volume.size == size ? 0 : 1;
  for (const auto& loop : loops_)
    wrong += device_bytes(loop->node()) == size ? 0 : 1;
  return wrong;
}

/// 1000 events as the virt layer would send them, until the last job has ended and is reported.
void Bench::grow_all() {
  std::set<JobId> open;
  const auto size = small + step;
  must(client_->subscribe());
  const auto spent = timed([&] {
    for (std::size_t i = 0; i < loops_.size(); ++i)
      open.insert(must(client_->volume_changed(fmt::format("vol-{}", i), size, {})));
    must(client_->follow(
        [&](const bus::Client::Event& event) {
          if (event.kind == bus::Client::Event::Kind::job_removed) open.erase(event.job);
          return !open.empty();
        },
        within(120s, SystemClock().now())));
  });
  fmt::print("  {} events -> every job ended and reported: {:.2f} s (aim: under 2 s)\n",
             loops_.size(), spent / 1e6);
  fmt::print("  jobs not ended: {}; sizes wrong on the bus or in the kernel: {}\n", open.size(),
             wrong_sizes(size));
}

void Bench::many_volumes() {
  attach(many);
  const auto registering = timed([&] {
    for (std::size_t i = 0; i < loops_.size(); ++i)
      register_volume(i);
  });
  for (std::size_t i = 0; i < loops_.size(); ++i)
    resize_sparse(file_of(i), small + step);
  fmt::print("(b) {} registered loop volumes (registering them one call at a time: {:.2f} s)\n",
             loops_.size(), registering / 1e6);
  grow_all();
  const auto target = small + step + step;
  for (std::size_t i = 0; i < loops_.size(); ++i)
    resize_sparse(file_of(i), target);
  const auto bare = timed([&] {
    for (const auto& loop : loops_)
      by_the_floor(*loop);
  });
  fmt::print("  the floor for the same, one after the other: {:.3f} s\n", bare / 1e6);
  print_memory("after it");
  fmt::print("\n");
}

// --- memory and wake-ups
// ---------------------------------------------------------------------------

std::string status_line(pid_t pid, const std::string& file, const std::string& key) {
  std::ifstream in(fmt::format("/proc/{}/{}", pid, file));
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "0";
}

std::uint64_t number(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
}

/// The daemon and everything it forked: zygote and workers.
std::vector<pid_t> Bench::processes() const {
  std::vector<pid_t> all{daemon_.pid()};
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::ifstream children(fmt::format("/proc/{}/task/{}/children", all[i], all[i]));
    for (pid_t child = 0; children >> child;)
      all.push_back(child);
  }
  return all;
}

void Bench::print_memory(const std::string& when) const {
  std::uint64_t pss = 0;
  const auto all = processes();
  for (const auto pid : all)
    pss += number(status_line(pid, "smaps_rollup", "Pss:"));
  fmt::print("  memory {}: PSS {:.1f} MiB over {} processes (daemon, zygote, workers)\n", when,
             static_cast<double>(pss) / 1024, all.size());
}

void Bench::idle() {
  fmt::print("(c) idle, nothing registered\n");
  print_memory("idle");
  const auto wakeups = [this] {
    std::uint64_t sum = 0;
    for (const auto pid : processes())
      sum += number(status_line(pid, "status", "voluntary_ctxt_switches:"));
    return sum;
  };
  const auto before = wakeups();
  std::this_thread::sleep_for(10s);
  fmt::print("  wake-ups in 10 s, all processes, no watchdog asked for: {}\n\n",
             wakeups() - before);
}

}  // namespace
}  // namespace volgrow

int main() {
  if (::geteuid() != 0) {
    std::fputs("bench_host: needs root for loop devices\n", stderr);
    return EXIT_FAILURE;
  }
  try {
    {
      volgrow::Bench bench;
      bench.idle();
      bench.one_volume();
    }
    volgrow::Bench bench;
    bench.many_volumes();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_host: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
