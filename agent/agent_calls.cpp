// SPDX-License-Identifier: Apache-2.0
// The calls of the bus: who may, what exactly is asked, and where it goes.
#include <fmt/format.h>

#include "agent/agent.h"

namespace volgrow::agent {
namespace {

// An Outbox.List answer stays well below the bus' message limit (128 MiB) with reports of 64 KiB.
constexpr std::uint32_t most_listed = 1000;

std::unexpected<Error> no_such_volume(const std::string& id) {
  return failure(ErrorCode::no_such_volume,
                 fmt::format("volume '{}' is not registered on this host; see 'volgrow list'", id));
}

std::unexpected<Error> bad_id(const std::string& id) {
  return failure(
      ErrorCode::invalid_args,
      fmt::format("volume_id: '{}' is no volume id; one begins with a letter or digit and "
                  "has at most 128 letters, digits, '.', '_' or '-'",
                  id));
}

/// A caller may say whom it means; it cannot make a registered volume somebody else.
Result<void> same_pin(const VolumeRecord& volume, const RequestOptions& options) {
  if (!options.wwid || !volume.pinned || *options.wwid == *volume.pinned) return {};
  return failure(ErrorCode::wwid_mismatch,
                 fmt::format("volume {} is registered as {}, the call says {}; unregister it first "
                             "if it is another volume now",
                             volume.id, to_string(*volume.pinned), to_string(*options.wwid)));
}

/// Answers many jobs with one reply, when the last of them is accepted or the first refused.
struct Gathered {
  std::vector<JobId> jobs;
  std::size_t missing = 0;
  bus::Reply<std::vector<JobId>> reply;

  void take(Result<JobId> job) {
    if (!reply) return;
    if (!job) return std::exchange(reply, nullptr)(std::unexpected(job.error()));
    jobs.push_back(*job);
    if (--missing == 0) std::exchange(reply, nullptr)(std::move(jobs));
  }
};

}  // namespace

// --- from a call to a request ---

/// A name without a prefix must mean one thing: a registered volume or a device, not both.
Result<const VolumeRecord*> Agent::named_any(const std::string& text) const {
  const auto* volume = volumes_.find(text);
  const bool plain = text.find('/') == std::string::npos;
  if (volume != nullptr && plain && needs_.host.list(fmt::format("block/{}", text)))
    return failure(ErrorCode::ambiguous_volume,
                   fmt::format("'{}' is a registered volume and a device; say id:{} or dev:{}",
                               text, text, text));
  return volume != nullptr ? volume : on_device(text);
}

/// The registration a subject means; nullptr when it means none.
Result<const VolumeRecord*> Agent::registered(const Subject& subject,
                                              const RequestOptions& options) const {
  if (!options.volume_id.empty()) return volumes_.find(options.volume_id);
  if (const auto* info = std::get_if<ConnectionInfo>(&subject)) {
    const auto id = info->volume_id();
    return id ? volumes_.find(*id) : nullptr;
  }
  const auto& target = std::get<Target>(subject);
  switch (target.kind) {
    case TargetKind::volume_id:
      if (const auto* volume = volumes_.find(target.text)) return volume;
      return no_such_volume(target.text);
    case TargetKind::any:
      return named_any(target.text);
    case TargetKind::path:
      return on_device(node_name(target.text));
    case TargetKind::device:
      return on_device(target.text);
    case TargetKind::wwid: {
      const auto wwid = parse_wwid(target.text);
      return wwid ? volumes_.find_by_wwid(*wwid) : nullptr;
    }
    case TargetKind::dm_name:
      return on_device(node_name("/dev/mapper/" + target.text));
  }
  return nullptr;
}

/// The kernel name behind a node or one of udev's links to it; "" for any other path.
std::string Agent::node_name(const std::string& path) const {
  // Only links that udev makes are followed: resolving a path of the caller's could block for ever.
  const bool udevs = path.starts_with("/dev/disk/") || path.starts_with("/dev/mapper/");
  const auto node = udevs ? needs_.host.canonical(path).value_or("") : path;
  return node.starts_with("/dev/") ? node.substr(sizeof "/dev/" - 1) : "";
}

/// The registered volume one of whose layers is this device; nullptr when there is none, or more.
const VolumeRecord* Agent::on_device(const std::string& device) const {
  const auto ids = volumes_.on_device(device);
  return ids.size() == 1 ? volumes_.find(ids.front()) : nullptr;
}

/// A registered volume is found as it was registered, not by the name it was called this time: a
/// device name may belong to another volume by now.
Result<Request> Agent::request_for(Operation operation, Subject subject, Bytes expected,
                                   const RequestOptions& options, Origin origin) const {
  if (!options.volume_id.empty() && !is_volume_id(options.volume_id))
    return bad_id(options.volume_id);
  auto volume = registered(subject, options);
  if (!volume) return std::unexpected(std::move(volume.error()));
  Request request;
  request.operation = operation;
  request.mode = options.mode;
  request.dead_paths = options.dead_paths.value_or(needs_.config.dead_paths);
  request.dry_run = options.dry_run;
  request.origin = origin;
  request.pin_required = needs_.config.require_identity;
  request.pinned = options.wwid;
  if (expected != Bytes()) request.expected = expected;
  const auto* info = std::get_if<ConnectionInfo>(&subject);
  request.volume_id = options.volume_id;
  if (request.volume_id.empty() && info != nullptr)
    request.volume_id = info->volume_id().value_or("");
  request.subject = std::move(subject);
  if (*volume == nullptr) return request;
  request.volume_id = (*volume)->id;
  if (auto same = same_pin(**volume, options); !same) return std::unexpected(same.error());
  if ((*volume)->pinned) request.pinned = (*volume)->pinned;
  auto as_registered = parse_subject((*volume)->subject);
  if (as_registered) request.subject = std::move(*as_registered);
  return request;
}

Result<JobRecord> Agent::record_for(const bus::Caller& caller, Request request,
                                    const RequestOptions& options) const {
  const auto limit = options.deadline.value_or(needs_.config.default_deadline);
  if (limit > needs_.config.longest_deadline || limit <= Duration::zero())
    return failure(ErrorCode::invalid_args,
                   fmt::format("deadline-ms: must be from 1 to {}",
                               std::chrono::duration_cast<std::chrono::milliseconds>(
                                   needs_.config.longest_deadline)
                                   .count()));
  JobRecord record;
  record.request = std::move(request);
  record.started_at = needs_.clock.wall();
  record.deadline = record.started_at + limit;
  record.uid = caller.uid;
  record.idempotency_key = options.idempotency_key;
  return record;
}

void Agent::start_job(const bus::Caller& caller, Result<Request> request,
                      const RequestOptions& options, bus::Reply<JobId> reply) {
  if (!request) return reply(std::unexpected(std::move(request.error())));
  auto record = record_for(caller, std::move(*request), options);
  if (!record) return reply(std::unexpected(std::move(record.error())));
  jobs_.accept(std::move(*record), std::move(reply));
}

// --- calls that start jobs ---

void Agent::volume_changed(const bus::Caller& caller, std::string volume_id, Bytes expected,
                           RequestOptions options, bus::Reply<JobId> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::volume_changed, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  if (!is_volume_id(volume_id)) return reply(bad_id(volume_id));
  const auto* volume = volumes_.find(volume_id);
  if (volume == nullptr && options.wwid) volume = volumes_.find_by_wwid(*options.wwid);
  if (volume == nullptr && !options.wwid) return reply(no_such_volume(volume_id));
  const auto subject = volume != nullptr ? Target{TargetKind::volume_id, volume->id}
                                         : Target{TargetKind::wwid, to_string(*options.wwid)};
  options.volume_id = volume != nullptr ? volume->id : volume_id;
  start_job(caller, request_for(Operation::extend, subject, expected, options, Origin::event),
            options, std::move(reply));
}

void Agent::extend(const bus::Caller& caller, std::string subject, Bytes expected,
                   RequestOptions options, bus::Reply<JobId> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::extend, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  auto parsed = parse_subject(subject);
  if (!parsed) return reply(std::unexpected(std::move(parsed.error())));
  start_job(caller,
            request_for(Operation::extend, std::move(*parsed), expected, options, Origin::call),
            options, std::move(reply));
}

void Agent::rescan(const bus::Caller& caller, std::vector<std::string> targets,
                   RequestOptions options, bus::Reply<std::vector<JobId>> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::rescan, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  if (targets.empty())
    for (const auto& id : volumes_.ids())
      targets.push_back("id:" + id);
  std::vector<Request> requests;
  for (const auto& target : targets) {
    auto subject = parse_subject(target);
    if (!subject) return reply(std::unexpected(std::move(subject.error())));
    auto request =
        request_for(Operation::rescan, std::move(*subject), Bytes(), options, Origin::call);
    if (!request) return reply(std::unexpected(std::move(request.error())));
    requests.push_back(std::move(*request));
  }
  if (requests.empty()) return reply(std::vector<JobId>{});
  if (requests.size() > 1 && !options.idempotency_key.empty())
    return reply(failure(ErrorCode::invalid_args,
                         "idempotency-key: stands for one job; rescan one target with it"));
  if (auto room = jobs_.room_for(caller.uid, requests.size()); !room)
    return reply(std::unexpected(std::move(room.error())));
  const auto gathered = std::make_shared<Gathered>();
  gathered->missing = requests.size();
  gathered->reply = std::move(reply);
  for (auto& request : requests)
    start_job(caller, std::move(request), options,
              [gathered](Result<JobId> job) { gathered->take(std::move(job)); });
}

// --- calls that only look ---

void Agent::inspect(Result<Request> request, const RequestOptions& options, Runner::OnEnd on_end,
                    std::move_only_function<void(Error)> on_refusal) {
  if (!request) return on_refusal(std::move(request.error()));
  if (inspections_ >= needs_.config.most_jobs)
    return on_refusal(
        {ErrorCode::limits_exceeded, "too many volumes are being looked at already", "", 0});
  ++inspections_;
  runner_.start(
      new_job(std::move(*request), needs_.config.limits,
              options.deadline.value_or(needs_.config.default_deadline), needs_.clock.now()),
      [](Phase) {},
      [this, on_end = std::move(on_end)](JobResult result) {
        --inspections_;
        on_end(std::move(result));
      });
}

void Agent::answer_with_result(Result<Request> request, const RequestOptions& options,
                               bus::Reply<std::string> reply) {
  const auto shared = std::make_shared<bus::Reply<std::string>>(std::move(reply));
  inspect(
      std::move(request), options,
      [this, shared](const JobResult& result) {
        looked_at(result);
        (*shared)(to_json(result));
      },
      [shared](Error error) { (*shared)(std::unexpected(std::move(error))); });
}

void Agent::plan(const bus::Caller& caller, std::string subject, Bytes expected,
                 RequestOptions options, bus::Reply<std::string> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::plan, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  auto parsed = parse_subject(subject);
  if (!parsed) return reply(std::unexpected(std::move(parsed.error())));
  answer_with_result(
      request_for(Operation::plan, std::move(*parsed), expected, options, Origin::call), options,
      std::move(reply));
}

void Agent::explain(const bus::Caller& caller, std::string subject, RequestOptions options,
                    bus::Reply<std::string> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::explain, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  auto parsed = parse_subject(subject);
  if (!parsed) return reply(std::unexpected(std::move(parsed.error())));
  answer_with_result(
      request_for(Operation::explain, std::move(*parsed), Bytes(), options, Origin::call), options,
      std::move(reply));
}

// --- registration ---

void Agent::register_volume(const bus::Caller& caller, std::string volume_id,
                            std::string connection_info, RequestOptions options,
                            bus::Reply<std::string> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::register_volume, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  if (!is_volume_id(volume_id)) return reply(bad_id(volume_id));
  auto info = parse_connection_info(connection_info);
  if (!info) return reply(std::unexpected(std::move(info.error())));
  const auto* known = volumes_.find(volume_id);
  if (known == nullptr && volumes_.size() >= needs_.config.most_volumes)
    return reply(failure(ErrorCode::limits_exceeded,
                         "no more volumes can be registered; see volumes "
                         "that are gone with 'volgrow list'"));
  Request request;
  request.operation = Operation::registration;
  request.subject = *info;
  request.volume_id = volume_id;
  if (known != nullptr)
    if (auto same = same_pin(*known, options); !same) return reply(std::unexpected(same.error()));
  request.pinned = known != nullptr && known->pinned ? known->pinned : options.wwid;
  const auto shared = std::make_shared<bus::Reply<std::string>>(std::move(reply));
  inspect(
      std::move(request), options,
      [this, volume_id, subject = Subject(*info), shared](const JobResult& result) {
        registered_now(volume_id, subject, result, std::move(*shared));
      },
      [shared](Error error) { (*shared)(std::unexpected(std::move(error))); });
}

Result<VolumeRecord> Agent::record_from(const std::string& id, const Subject& subject,
                                        const JobResult& result) const {
  if (result.error) return std::unexpected(*result.error);
  if (!result.wwid && needs_.config.require_identity)
    return failure(
        ErrorCode::wwid_mismatch,
        fmt::format("{} reports no identity and require_identity is set", result.device));
  const auto* other = result.wwid ? volumes_.find_by_wwid(*result.wwid) : nullptr;
  if (other != nullptr && other->id != id)
    return failure(ErrorCode::ambiguous_volume,
                   fmt::format("{} is registered as volume {} already; unregister that one first",
                               result.device, other->id));
  const auto* known = volumes_.find(id);
  VolumeRecord record{id, to_text(subject), result.wwid, {}};
  if (known != nullptr) record.view = known->view;
  record.view.id = id;
  record.view.wwid = result.wwid ? to_string(*result.wwid) : "";
  return seen_in(result, std::move(record));
}

void Agent::registered_now(const std::string& id, const Subject& subject, const JobResult& result,
                           bus::Reply<std::string> reply) {
  auto record = record_from(id, subject, result);
  if (!record) return reply(std::unexpected(std::move(record.error())));
  auto journal = commits_.open();
  if (!journal) return reply(std::unexpected(std::move(journal.error())));
  if (auto pinned = (*journal)->pin(*record); !pinned)
    return reply(std::unexpected(std::move(pinned.error())));
  const auto* known = volumes_.find(id);
  auto before = known != nullptr ? std::optional(*known) : std::nullopt;
  volumes_.put(std::move(*record));  // at once: two registrations of one device must not both pass
  commits_.after([this, id = id, before = std::move(before),
                  reply = std::move(reply)](const Result<void>& committed) mutable {
    if (!committed) {
      restore(id, std::move(before));
      return reply(std::unexpected(committed.error()));
    }
    if (const auto* volume = volumes_.find(id)) face_->show(volume->view);
    lookout_.look(id);  // it may have grown since it was looked at
    reply(std::move(id));
  });
}

/// What a lost transaction would have changed is as it was.
void Agent::restore(const std::string& id, std::optional<VolumeRecord> before) {
  if (before) return volumes_.put(std::move(*before));
  volumes_.erase(id);
}

void Agent::unregister_volume(const bus::Caller& caller, std::string volume_id,
                              RequestOptions options, bus::Reply<void> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::unregister_volume, options); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  if (volumes_.find(volume_id) == nullptr) return reply(no_such_volume(volume_id));
  auto journal = commits_.open();
  if (!journal) return reply(std::unexpected(std::move(journal.error())));
  if (auto unpinned = (*journal)->unpin(volume_id); !unpinned)
    return reply(std::unexpected(std::move(unpinned.error())));
  auto before = *volumes_.find(volume_id);
  stragglers_.forget(volume_id);
  lookout_.forget(volume_id);
  spontaneous_.forget(volume_id);
  volumes_.erase(volume_id);  // at once: a job that ends in this transaction must not pin it again
  commits_.after([this, before = std::move(before),
                  reply = std::move(reply)](const Result<void>& committed) mutable {
    if (!committed) {
      volumes_.put(std::move(before));
      return reply(std::unexpected(committed.error()));
    }
    face_->hide_volume(before.id);
    reply({});
  });
}

// --- jobs and the outbox ---

void Agent::wait(const bus::Caller& caller, JobId job, Duration timeout,
                 bus::Reply<bus::JobEnd> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::wait, {}); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  jobs_.wait(job, caller.name, timeout, std::move(reply));
}

void Agent::cancel(const bus::Caller& caller, JobId job, bus::Reply<void> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::cancel, {}); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  jobs_.cancel(job, std::move(reply));
}

void Agent::list_outbox(const bus::Caller& caller, std::uint32_t max,
                        bus::Reply<std::vector<bus::OutboxEntry>> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::outbox, {}); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  commits_.flush();  // what is listed is durable: it will be sent away
  reply(needs_.journal.outbox(std::min(max, most_listed)));
}

void Agent::acknowledge(const bus::Caller& caller, std::vector<std::uint64_t> sequences,
                        bus::Reply<void> reply) {
  if (auto allowed = needs_.access.allow(caller, Verb::outbox, {}); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  auto journal = commits_.open();
  if (!journal) return reply(std::unexpected(std::move(journal.error())));
  if (auto done = (*journal)->acknowledge(sequences); !done)
    return reply(std::unexpected(std::move(done.error())));
  commits_.after([this, reply = std::move(reply)](const Result<void>& committed) mutable {
    show_manager();
    reply(committed);
  });
}

}  // namespace volgrow::agent
