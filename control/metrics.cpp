// SPDX-License-Identifier: Apache-2.0
// The only file that knows prometheus-cpp, and its core alone: our own server carries the text.
#include "control/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace volgrow::control {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

const prometheus::Histogram::BucketBoundaries seconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                      0.05,   0.1,   0.25,   0.5,   1.0,  5.0};

/// "2xx": the hundred a status belongs to.
std::size_t hundred_of(int status) {
  return static_cast<std::size_t>(std::clamp(status / 100, 1, 5));
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  std::array<prometheus::Counter*, 6> requests{};
  prometheus::Histogram* request_seconds = nullptr;
  prometheus::Gauge* extends = nullptr;
  prometheus::Gauge* deliveries = nullptr;
  prometheus::Gauge* stored = nullptr;
  prometheus::Gauge* refused = nullptr;
  prometheus::Gauge* connections = nullptr;

  prometheus::Gauge* gauge(const char* name, const char* help) {
    return &BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }

  Families() {
    auto& family = BuildCounter()
                       .Name("volgrow_control_requests_total")
                       .Help("Requests answered, by the hundred of their status")
                       .Register(registry);
    for (std::size_t i = 1; i < requests.size(); ++i)
      requests.at(i) = &family.Add({{"status", std::to_string(i) + "xx"}});
    request_seconds = &BuildHistogram()
                           .Name("volgrow_control_request_seconds")
                           .Help("From a whole request to its answer")
                           .Register(registry)
                           .Add({}, seconds);
    extends = gauge("volgrow_control_extends_under_way", "Extends that a back end works on");
    deliveries = gauge("volgrow_control_deliveries", "Events that no receiver has taken yet");
    stored = gauge("volgrow_control_reports_stored", "Reports stored since the start");
    refused = gauge("volgrow_control_reports_refused", "Reports refused since the start");
    connections = gauge("volgrow_control_connections", "Open connections of clients");
  }
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::answered(int status, Duration time) {
  families_->requests.at(hundred_of(status))->Increment();
  families_->request_seconds->Observe(std::chrono::duration<double>(time).count());
}

std::string Metrics::text(const Gauges& now) const {
  families_->extends->Set(static_cast<double>(now.extends_under_way));
  families_->deliveries->Set(static_cast<double>(now.deliveries));
  families_->stored->Set(static_cast<double>(now.reports_stored));
  families_->refused->Set(static_cast<double>(now.reports_refused));
  families_->connections->Set(now.connections);
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace volgrow::control
