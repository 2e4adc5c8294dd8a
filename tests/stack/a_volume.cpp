// SPDX-License-Identifier: Apache-2.0
// The fake upper layers and the inline executor.
#include "tests/stack/a_volume.h"

#include <fmt/format.h>

namespace volgrow {
namespace {

FakeKernel& fake(Host& host) {
  return dynamic_cast<FakeKernel&>(host);
}

Connectors connectors_with(FakeDmConnector*& maps, FakeDmConnector*& crypts) {
  std::vector<std::unique_ptr<Connector>> all;
  all.push_back(loop_connector());
  all.push_back(iscsi_connector());
  all.push_back(fc_connector());
  all.push_back(scsi_connector());
  all.push_back(nvme_connector());
  all.push_back(file_connector({"/images"}));
  auto map = std::make_unique<FakeDmConnector>(LayerKind::multipath, "mpath-", Bytes());
  auto crypt = std::make_unique<FakeDmConnector>(LayerKind::crypt, "CRYPT-LUKS2-", crypt_header);
  maps = map.get();
  crypts = crypt.get();
  all.push_back(std::move(map));
  all.push_back(std::move(crypt));
  return Connectors(std::move(all));
}

}  // namespace

bool FakeDmConnector::claims(const Host& host, std::string_view device) const {
  const auto uuid = host.read(fmt::format("block/{}/dm/uuid", device));
  return uuid && uuid->starts_with(uuid_prefix_);
}

Result<Layer> FakeDmConnector::describe(Host& host, std::string_view device) const {
  const auto& dm = fake(host).device(std::string(device));
  Layer layer;
  layer.connector = uuid_prefix_;
  layer.kind = kind_;
  layer.device = device;
  layer.identity = {dm.number, dm.diskseq};
  layer.size = dm.size;
  layer.closed = closed;
  layer.overhead = overhead_;
  layer.below = *host.list(fmt::format("block/{}/slaves", device));
  return layer;
}

Result<void> FakeDmConnector::willing() const {
  if (refuses && refusals-- > 0) return std::unexpected(*refuses);
  return {};
}

Result<void> FakeDmConnector::evict(Host& host, const Layer& map, const std::string& member,
                                    Deadline) const {
  if (auto ready = willing(); !ready) return ready;
  fake(host).unstack(map.device, member);
  return {};
}

Result<void> FakeDmConnector::adopt(Host& host, const Layer& map, const std::string& member,
                                    Deadline) const {
  if (auto ready = willing(); !ready) return ready;
  fake(host).stack_on(map.device, member);
  return {};
}

Result<void> FakeDmConnector::grow(Host& host, const Layer& layer, Bytes to, Deadline) const {
  if (auto ready = willing(); !ready) return ready;
  auto& dm = fake(host).device(layer.device);
  if (!dm.ignores_growth) dm.size = to;
  return {};
}

Result<Measurement> FakeDmConnector::measure(Host& host, const Layer& layer, bool) const {
  const auto& dm = fake(host).device(layer.device);
  return Measurement{dm.size, {dm.number, dm.diskseq}, ""};
}

AVolume::AVolume() : connectors(connectors_with(maps, crypts)) {}

void AVolume::with_paths(std::size_t count) {
  kernel.add_block("dm-3", 10_GiB);
  kernel.set_attribute("block/dm-3/dm/uuid", "mpath-3600140500000000000000000000000a1");
  kernel.set_attribute("block/dm-3/dm/name", "mpatha");
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = fmt::format("sd{}", static_cast<char>('a' + i));
    add_path(name, fmt::format("{}:0:0:1", i + 1));
    kernel.stack_on("dm-3", name);
  }
}

void AVolume::add_path(const std::string& name, const std::string& address) {
  kernel.add_disk(name, {.address = address});
  kernel.set_attribute("block/" + name + "/device/wwid", "naa.600140500000000000000000000000a1");
}

void AVolume::with_crypt_on(const std::string& below) {
  kernel.add_block("dm-7", 10_GiB - crypt_header);
  kernel.set_attribute("block/dm-7/dm/uuid", "CRYPT-LUKS2-aa-crypt-vol");
  kernel.stack_on("dm-7", below);
}

Request AVolume::to(Bytes expected) {
  Request request;
  request.expected = expected;
  return request;
}

Job AVolume::job_for(Request request, Duration deadline) {
  request.subject = *parse_subject(subject);
  return new_job(std::move(request), JobLimits{}, deadline, kernel.clock().now());
}

std::vector<StepResult> AVolume::perform_all(const Batch& batch) {
  if (before_batch) before_batch(batch);
  kernel.fake_clock().advance(batch.pause);
  std::vector<StepResult> results;
  for (auto step : batch.steps) {
    step.begin(kernel.clock().now());
    results.push_back(perform(step, connectors, kernel));
  }
  if (after_batch) after_batch(batch, results);
  return results;
}

JobResult AVolume::run(Job& job) {
  auto next = advance(job, {}, kernel.clock().now());
  while (auto* batch = std::get_if<Batch>(&next))
    next = advance(job, perform_all(*batch), kernel.clock().now());
  return std::get<JobResult>(next);
}

JobResult AVolume::run(Request request, Duration deadline) {
  auto job = job_for(std::move(request), deadline);
  return run(job);
}

const LayerResult& layer(const JobResult& result, const std::string& device) {
  for (const auto& found : result.layers)
    if (found.device == device) return found;
  static const LayerResult none;
  ADD_FAILURE() << "the result has no layer " << device;
  return none;
}

}  // namespace volgrow
