// SPDX-License-Identifier: Apache-2.0
// One client for two servers: creates volumes over Cinder's API, extends each once with many
// requests under way, and walks through the list; prints what it measured as one JSON document.
//   bench_control URL PROJECT VOLUMES CONCURRENCY [PAGES]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/event_loop.h"
#include "core/json.h"
#include "http/client.h"

namespace volgrow {
namespace {

constexpr Duration patience = std::chrono::minutes(2);

struct Answered {
  int status = 0;
  std::string body;
  Duration time{};
};

/// Sends what `next` gives, `width` at a time, and hands each answer on.
class Volley {
 public:
  using Next = std::function<std::optional<http::Outgoing>()>;
  using Each = std::function<void(std::size_t, Answered)>;

  Volley(EventLoop& loop, http::Client& client, Next next, Each each)
      : loop_(loop), client_(client), next_(std::move(next)), each_(std::move(each)) {}

  void run(std::size_t width) {
    for (std::size_t i = 0; i < width; ++i)
      send_next();
    if (!under_way_.empty() && !loop_.run()) std::exit(1);
  }

 private:
  void send_next() {
    auto outgoing = next_();
    if (!outgoing) return;
    const auto id = count_++;
    const auto begun = clock_.now();
    under_way_[id] = client_.send(std::move(*outgoing), within(patience, begun),
                                  [this, id, begun](const Result<http::Response>& response) {
                                    answered(id, begun, response);
                                  });
  }

  void answered(std::size_t id, TimePoint begun, const Result<http::Response>& response) {
    const auto kept = under_way_.extract(id);
    if (!response) {
      std::fprintf(stderr, "bench_control: %s\n", response.error().message.c_str());
      std::exit(1);
    }
    each_(id, {response->status, response->body, clock_.now() - begun});
    send_next();
    if (under_way_.empty()) loop_.exit(0);
  }

  EventLoop& loop_;
  http::Client& client_;
  Next next_;
  Each each_;
  SystemClock clock_;
  std::size_t count_ = 0;
  std::map<std::size_t, http::Client::Pending> under_way_;
};

class Bench {
 public:
  Bench(std::string url, std::string project)
      : base_(url + "/v3/" + project), token_("admin:" + project) {}

  void run(std::size_t volumes, std::size_t width, std::size_t pages) {
    create(volumes, width);
    extend(width);
    list(pages);
    std::puts(to_json(Value(std::move(measured_))).c_str());
  }

 private:
  http::Outgoing request(std::string method, const std::string& path, std::string body = {}) const {
    http::Outgoing outgoing{.method = std::move(method), .url = base_ + path};
    outgoing.fields.add("X-Auth-Token", token_);
    outgoing.fields.add("OpenStack-API-Version", "volume 3.59");
    if (!body.empty()) outgoing.fields.add("Content-Type", "application/json");
    outgoing.body = std::move(body);
    return outgoing;
  }

  void create(std::size_t volumes, std::size_t width) {
    std::size_t left = volumes;
    const auto begun = clock_.now();
    Volley volley(
        *loop_, *client_,
        [&]() -> std::optional<http::Outgoing> {
          if (left == 0) return std::nullopt;
          --left;
          return request("POST", "/volumes", R"({"volume":{"size":1}})");
        },
        [&](std::size_t, const Answered& answer) { remember(answer); });
    volley.run(width);
    wait_until_available();
    measured_.emplace_back("volumes", volumes);
    measured_.emplace_back("create_s", seconds(clock_.now() - begun));
  }

  void remember(const Answered& answer) {
    const auto body = parse_json(answer.body);
    const auto* volume = body ? body->find("volume") : nullptr;
    if (answer.status != 202 || !volume) stop("create", answer);
    ids_.push_back(*volume->find("id")->text());
  }

  /// The last to be made is asked for; what was asked for before it is made by then, or soon.
  void wait_until_available() {
    for (const auto& id : ids_)
      while (is_being_created(id)) {
      }
  }

  bool is_being_created(const std::string& id) {
    Answered answered;
    bool asked = false;
    Volley volley(
        *loop_, *client_,
        [&]() -> std::optional<http::Outgoing> {
          if (std::exchange(asked, true)) return std::nullopt;
          return request("GET", "/volumes/" + id);
        },
        [&](std::size_t, const Answered& answer) { answered = answer; });
    volley.run(1);
    const auto body = parse_json(answered.body);
    const auto status = *body->find("volume")->find("status")->text();
    if (status == "error") stop("a volume that was to be created", answered);
    return status != "available";
  }

  void extend(std::size_t width) {
    std::size_t next = 0;
    std::vector<Duration> times;
    const auto begun = clock_.now();
    Volley volley(
        *loop_, *client_,
        [&]() -> std::optional<http::Outgoing> {
          if (next == ids_.size()) return std::nullopt;
          return request("POST", "/volumes/" + ids_[next++] + "/action",
                         R"({"os-extend":{"new_size":2}})");
        },
        [&](std::size_t, const Answered& answer) {
          if (answer.status != 202) stop("os-extend", answer);
          times.push_back(answer.time);
        });
    volley.run(width);
    const auto whole = clock_.now() - begun;
    std::ranges::sort(times);
    measured_.emplace_back("extends_per_s", static_cast<double>(times.size()) / seconds(whole));
    measured_.emplace_back("extend_p50_ms", 1e3 * seconds(times[times.size() / 2]));
    measured_.emplace_back("extend_p99_ms", 1e3 * seconds(times[times.size() * 99 / 100]));
  }

  /// Pages of a hundred: the first, one in the middle and one at the end, by offset and by marker.
  void list(std::size_t pages) {
    if (pages == 0) return;
    for (const std::size_t offset : {std::size_t{0}, ids_.size() / 2, ids_.size() - 100}) {
      const auto path = fmt::format("/volumes/detail?limit=100&offset={}", offset);
      measured_.emplace_back(fmt::format("page_at_{}_ms", offset), median_of(path, pages));
    }
    const auto marker = fmt::format("/volumes/detail?limit=100&marker={}", ids_.at(100));
    measured_.emplace_back("last_page_by_marker_ms", median_of(marker, pages));
  }

  double median_of(const std::string& path, std::size_t times) {
    std::vector<Duration> taken;
    std::size_t left = times;
    Volley volley(
        *loop_, *client_,
        [&]() -> std::optional<http::Outgoing> {
          if (left-- == 0) return std::nullopt;
          return request("GET", path);
        },
        [&](std::size_t, const Answered& answer) {
          if (answer.status != 200) stop("list", answer);
          taken.push_back(answer.time);
        });
    volley.run(1);
    std::ranges::sort(taken);
    return 1e3 * seconds(taken[taken.size() / 2]);
  }

  static double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }
  [[noreturn]] static void stop(const char* what, const Answered& answer) {
    std::fprintf(stderr, "bench_control: %s answered %d %s\n", what, answer.status,
                 answer.body.c_str());
    std::exit(1);
  }

  std::string base_, token_;
  SystemClock clock_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  std::unique_ptr<http::Client> client_ =
      http::Client::create(*loop_, clock_, {.connections_per_host = 64}).value();
  std::vector<std::string> ids_;
  Value::Object measured_;
};

}  // namespace
}  // namespace volgrow

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bench_control URL PROJECT VOLUMES CONCURRENCY [PAGES]\n", stderr);
    return 2;
  }
  volgrow::Bench(argv[1], argv[2])
      .run(std::strtoul(argv[3], nullptr, 10), std::strtoul(argv[4], nullptr, 10),
           argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 0);
  return 0;
}
