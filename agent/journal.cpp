// SPDX-License-Identifier: Apache-2.0
// The journal in SQLite: rows become values here. What a job means, or when to forget it, is
// decided elsewhere.
#include "agent/journal.h"

#include <limits>

#include "core/json.h"
#include "core/uuid.h"
#include "service/database.h"
#include "stack/job.h"

namespace volgrow::agent {
namespace {

using namespace rows;

constexpr Duration remembered = std::chrono::hours(24);  // keys and ends (contracts §1)
constexpr JsonLimits view_limits{.size = Bytes(std::uint64_t{16} << 20), .depth = 4};

// A report never outlives its job's row (the reference), and a job never has two (the unique). Ids
// and sequences are AUTOINCREMENT: without it SQLite gives the highest deleted id away again. Times
// are microseconds since the epoch; sizes are 64-bit patterns (SQLite has no unsigned integer).
const DatabaseKind journal_kind{
    .what = "journal",
    .program = "volgrowd",
    .loss = "pins and jobs in it are lost, volumes are not",
    .application_id = 0x766f6c67,  // "volg"
    .schema =
        {"create table meta (name text primary key, value text not null) strict, without rowid",
         R"(create table volumes (
              id text primary key, subject text not null, pinned text not null, view text not null
            ) strict, without rowid)",
         R"(create table jobs (
              id integer primary key autoincrement, operation text not null, subject text not null,
              volume_id text not null, pinned text not null, pin_required integer not null,
              expected integer, mode text not null, dead_paths text not null,
              dry_run integer not null, origin text not null, deadline integer not null,
              uid integer not null, idempotency_key text not null, started_at integer not null,
              ended_at integer, state text, result_volume_id text, result text, error_name text,
              error_message text, sequence integer
            ) strict)",
         "create index jobs_unfinished on jobs (id) where ended_at is null",
         "create index jobs_ended on jobs (ended_at) where ended_at is not null",
         "create unique index jobs_keys on jobs (uid, idempotency_key) where idempotency_key <> ''",
         R"(create table outbox (
              sequence integer primary key autoincrement,
              job integer not null unique references jobs (id), report text not null
            ) strict)"},
    .additions = {R"(create table stragglers (
                       queue text primary key, job integer not null references jobs (id),
                       paths integer not null
                     ) strict, without rowid)"},
    .seed = [](soci::session& sql) {
      const auto uuid = new_uuid();  // SOCI reads it when the statement ends
      sql << "insert into meta (name, value) values ('uuid', :uuid)", soci::use(uuid);
    }};

std::unexpected<Error> unreadable(std::string_view what, std::string_view found) {
  return failure(ErrorCode::internal, fmt::format("journal: {} cannot be read: {}", what, found));
}

// ---- rows: each names its columns once, beside the fields that hold them ----

struct JobRow {
  long long id = 0;
  std::string operation, subject, volume_id, pinned;
  int pin_required = 0;
  long long expected = 0;
  soci::indicator expected_state = soci::i_null;
  std::string mode, dead_paths;
  int dry_run = 0;
  std::string origin;
  long long deadline = 0, uid = 0;
  std::string idempotency_key;
  long long started_at = 0;

  /// Everything but the id, which `accept` does not know yet.
  template <class Each>
  void each_accepted(Each each) {
    each("operation", operation);
    each("subject", subject);
    each("volume_id", volume_id);
    each("pinned", pinned);
    each("pin_required", pin_required);
    each("expected", expected, expected_state);
    each("mode", mode);
    each("dead_paths", dead_paths);
    each("dry_run", dry_run);
    each("origin", origin);
    each("deadline", deadline);
    each("uid", uid);
    each("idempotency_key", idempotency_key);
    each("started_at", started_at);
  }
  template <class Each>
  void each(Each each) {
    each("id", id);
    each_accepted(each);
  }
};

/// The columns of `accept`, for insert_query.
struct Accepted : JobRow {
  template <class Each>
  void each(Each each) {
    each_accepted(each);
  }
};

struct EndRow {
  long long id = 0, ended_at = 0, sequence = 0, uid = 0, started_at = 0;
  std::string operation, state, result_volume_id, result, error_name, error_message;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each("operation", operation);
    each("uid", uid);
    each("started_at", started_at);
    each("ended_at", ended_at);
    each("state", state);
    each("result_volume_id", result_volume_id);
    each("result", result);
    each("error_name", error_name);
    each("error_message", error_message);
  }
};

struct VolumeRow {
  std::string id, subject, pinned, view;

  template <class Each>
  void each(Each each) {
    each("id", id);
    each("subject", subject);
    each("pinned", pinned);
    each("view", view);
  }
};

struct ReportRow {
  long long sequence = 0, job = 0;
  std::string report;

  template <class Each>
  void each(Each each) {
    each("sequence", sequence);
    each("job", job);
    each("report", report);
  }
};

/// A question and its answer: the job that (uid, key) stands for.
struct KeyRow {
  long long uid = 0;
  std::string key;
  long long id = 0, started_at = 0;
};

struct StragglerRow {
  std::string queue;
  long long job = 0, paths = 0;

  template <class Each>
  void each(Each each) {
    each("queue", queue);
    each("job", job);
    each("paths", paths);
  }
};

// ---- statements ----

/// The statements a burst of jobs runs a thousand times in one transaction.
struct HotStatements {
  explicit HotStatements(soci::session& sql)
      : key(sql,
            // SQLite takes the index of keys only for a query that repeats the index's condition.
            "select id, started_at from jobs"
            " where uid = :uid and idempotency_key = :key and idempotency_key <> ''",
            [](KeyRow& row, Places at) {
              at.use(row.uid), at.use(row.key), at.into(row.id), at.into(row.started_at);
            }),
        accept(sql, insert_query("jobs", Accepted{}),
               [](JobRow& row, Places at) {
                 row.each_accepted([&](const char*, auto&... place) { at.use(place...); });
               }),
        end(sql,
            "update jobs set ended_at = :ended_at, state = :state, result_volume_id = :volume,"
            " result = :result, error_name = :name, error_message = :message, sequence = :sequence"
            " where id = :id and ended_at is null",
            [](EndRow& row, Places at) {
              at.use(row.ended_at), at.use(row.state), at.use(row.result_volume_id);
              at.use(row.result), at.use(row.error_name), at.use(row.error_message);
              at.use(row.sequence), at.use(row.id);
            }),
        report(sql, "insert into outbox (sequence, job, report) values (:sequence, :job, :report)",
               [](ReportRow& row, Places at) {
                 at.use(row.sequence), at.use(row.job), at.use(row.report);
               }),
        acknowledge(sql, "delete from outbox where sequence = :sequence",
                    [](NumberRow& row, Places at) { at.use(row.number); }),
        pin(sql,
            "insert into volumes (id, subject, pinned, view) values (:id, :subject, :pinned, :view)"
            " on conflict (id) do update set subject = excluded.subject,"
            " pinned = excluded.pinned, view = excluded.view",
            [](VolumeRow& row, Places at) {
              row.each([&](const char*, auto& place) { at.use(place); });
            }) {}

  Prepared<KeyRow> key;
  Prepared<JobRow> accept;
  Prepared<EndRow> end;
  Prepared<ReportRow> report;
  Prepared<NumberRow> acknowledge;
  Prepared<VolumeRow> pin;
};

// ---- values to rows and back ----

std::string text_of(const std::optional<Wwid>& wwid) {
  return wwid ? to_string(*wwid) : std::string();
}

Result<std::optional<Wwid>> wwid_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto wwid = parse_wwid(text);
  if (!wwid) return std::unexpected(std::move(wwid.error()));
  return std::move(*wwid);
}

void fill(JobRow& row, const JobRecord& job) {
  const auto& request = job.request;
  row.operation = name_of(request.operation);
  row.subject = to_text(request.subject);
  row.volume_id = request.volume_id;
  row.pinned = text_of(request.pinned);
  row.pin_required = request.pin_required;
  row.expected = bits(request.expected.value_or(Bytes()).count());
  row.expected_state = request.expected ? soci::i_ok : soci::i_null;
  row.mode = name_of(request.mode);
  row.dead_paths = name_of(request.dead_paths);
  row.dry_run = request.dry_run;
  row.origin = name_of(request.origin);
  row.deadline = micros(job.deadline);
  row.uid = job.uid;
  row.idempotency_key = job.idempotency_key;
  row.started_at = micros(job.started_at);
}

Result<Request> request_of(const JobRow& row) {
  const auto operation = operation_named(row.operation);
  const auto mode = mode_named(row.mode);
  const auto dead_paths = dead_paths_named(row.dead_paths);
  const auto origin = origin_named(row.origin);
  if (!operation || !mode || !dead_paths || !origin)
    return failure(ErrorCode::internal, "an unknown word in operation, mode, dead_paths or origin");
  auto subject = parse_subject(row.subject);
  if (!subject) return std::unexpected(std::move(subject.error()));
  auto pinned = wwid_of(row.pinned);
  if (!pinned) return std::unexpected(std::move(pinned.error()));
  const bool has_expected = row.expected_state == soci::i_ok;
  return Request{
      .operation = *operation,
      .subject = std::move(*subject),
      .volume_id = row.volume_id,
      .pinned = std::move(*pinned),
      .pin_required = row.pin_required != 0,
      .expected = has_expected ? std::optional(Bytes(unsigned_of(row.expected))) : std::nullopt,
      .mode = *mode,
      .dead_paths = *dead_paths,
      .dry_run = row.dry_run != 0,
      .origin = *origin};
}

Result<JobRecord> job_of(const JobRow& row) {
  auto request = request_of(row);
  if (!request) return unreadable(fmt::format("job {}", row.id), request.error().message);
  return JobRecord{.id = static_cast<JobId>(row.id),
                   .request = std::move(*request),
                   .deadline = time_of(row.deadline),
                   .uid = static_cast<std::uint32_t>(row.uid),
                   .idempotency_key = row.idempotency_key,
                   .started_at = time_of(row.started_at)};
}

Result<FinishedJob> end_of(const EndRow& row) {
  const auto operation = operation_named(row.operation);
  const auto state = job_state_named(row.state);
  if (!operation || !state)
    return unreadable(fmt::format("job {}", row.id), "an unknown word in operation or state");
  return FinishedJob{.view = {.id = static_cast<JobId>(row.id),
                              .operation = *operation,
                              .volume_id = row.result_volume_id,
                              .state = *state,
                              .phase = std::string(name_of(Phase::done)),
                              .result_json = row.result,
                              .error_name = row.error_name,
                              .error_message = row.error_message,
                              .started_by_uid = static_cast<std::uint32_t>(row.uid),
                              .started_at = time_of(row.started_at)},
                     .ended_at = time_of(row.ended_at)};
}

Value value_of(const PathView& path) {
  return Value::Array{path.device, path.endpoint, path.size.count(), path.state};
}

std::string text_of(const VolumeView& view, Bytes largest) {
  Value::Array paths;
  for (const auto& path : view.paths)
    paths.push_back(value_of(path));
  return to_json(Value(Value::Object{{"id", view.id},
                                     {"wwid", view.wwid},
                                     {"kind", view.kind},
                                     {"device", view.device},
                                     {"size", view.size.count()},
                                     {"target_size", view.target_size.count()},
                                     {"state", name_of(view.state)},
                                     {"paths", std::move(paths)},
                                     {"last_job", view.last_job},
                                     {"largest", largest.count()}}));
}

std::string text_in(const Value* value) {
  const auto* text = value ? value->text() : nullptr;
  return text ? *text : std::string();
}

std::uint64_t number_in(const Value* value) {
  if (!value) return 0;
  if (const auto* number = std::get_if<std::uint64_t>(&value->data)) return *number;
  const auto* number = std::get_if<std::int64_t>(&value->data);
  return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

VolumeState state_in(const Value* value) {
  for (const auto state : {VolumeState::ok, VolumeState::growing, VolumeState::degraded,
                           VolumeState::mismatch, VolumeState::shrunk})
    if (text_in(value) == name_of(state)) return state;
  return VolumeState::unknown;
}

std::vector<PathView> paths_in(const Value* value) {
  std::vector<PathView> paths;
  if (!value || !value->array()) return paths;
  for (const auto& path : *value->array())
    if (const auto* parts = path.array(); parts && parts->size() == 4)
      paths.push_back({text_in(&parts->at(0)), text_in(&parts->at(1)),
                       Bytes(number_in(&parts->at(2))), text_in(&parts->at(3))});
  return paths;
}

/// A member that is missing keeps its default: what was last shown is measured again anyway.
Result<VolumeRecord> with_view(VolumeRecord record, const std::string& text) {
  const auto value = parse_json(text, view_limits);
  if (!value) return std::unexpected(value.error());
  record.view = VolumeView{.id = text_in(value->find("id")),
                           .wwid = text_in(value->find("wwid")),
                           .kind = text_in(value->find("kind")),
                           .device = text_in(value->find("device")),
                           .size = Bytes(number_in(value->find("size"))),
                           .target_size = Bytes(number_in(value->find("target_size"))),
                           .state = state_in(value->find("state")),
                           .paths = paths_in(value->find("paths")),
                           .last_job = static_cast<JobId>(number_in(value->find("last_job")))};
  // Where that was written by a version that knew no such member: what was last shown.
  const auto* largest = value->find("largest");
  record.largest = largest ? Bytes(number_in(largest)) : record.view.size;
  return record;
}

Result<VolumeRecord> volume_of(const VolumeRow& row) {
  const auto what = fmt::format("volume {}", row.id);
  auto pinned = wwid_of(row.pinned);
  if (!pinned) return unreadable(what, pinned.error().message);
  auto record = with_view({row.id, row.subject, std::move(*pinned), {}}, row.view);
  if (!record) return unreadable(what, record.error().message);
  return record;
}

// ---- the journal ----

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(std::unique_ptr<Database> database, std::string host, const Clock& clock)
      : database_(std::move(database)), host_(std::move(host)), clock_(clock) {
    database_->on_failure([this] { hot_.reset(); });
  }

  Result<void> start();

  const std::string& uuid() const override { return uuid_; }
  Result<void> begin() override { return database_->begin(); }
  Result<void> commit() override { return database_->commit(); }
  Result<void> pin(const VolumeRecord& volume) override;
  Result<void> unpin(const std::string& volume_id) override;
  Result<std::vector<VolumeRecord>> volumes() override;
  Result<JobId> accept(const JobRecord& job) override;
  Result<std::optional<JobRecord>> accepted(std::uint32_t uid, const std::string& key) override;
  Result<std::vector<JobRecord>> unfinished() override;
  Result<std::vector<FinishedJob>> finished(WallTime since) override;
  Result<std::uint64_t> finish(JobId job, const JobResult& result, WallTime ended_at) override;
  Result<void> remember_straggler(const std::string& queue, JobId job,
                                  std::uint32_t paths) override;
  Result<void> forget_straggler(const std::string& queue) override;
  Result<std::vector<StragglerRecord>> stragglers() override;
  Result<std::vector<std::pair<std::uint64_t, std::string>>> outbox(std::uint32_t max) override;
  Result<void> acknowledge(const std::vector<std::uint64_t>& sequences) override;
  Result<std::uint32_t> outbox_depth() override;
  Result<void> expire(WallTime now) override;

 private:
  template <class Work>
  auto perform(Work work) -> decltype(work()) {
    return database_->perform(std::move(work));
  }
  soci::session& sql() { return database_->sql(); }
  HotStatements& hot();
  JobId insert(const JobRecord& job);
  std::optional<long long> job_of_key(std::uint32_t uid, const std::string& key);
  void forget_before(long long time);
  std::uint64_t store_end(JobId job, const JobResult& result, WallTime ended_at);
  Result<std::uint64_t> known_sequence(JobId job);

  std::unique_ptr<Database> database_;
  std::string host_;
  const Clock& clock_;
  std::string uuid_;
  std::uint64_t next_sequence_ =
      1;  ///< known before its row is, because the report's text holds it
  std::optional<HotStatements> hot_;
};

Result<void> SqliteJournal::start() {
  auto opened = perform([this]() -> Result<void> {
    sql() << "select value from meta where name = 'uuid'", soci::into(uuid_);
    next_sequence_ = unsigned_of(number_of(
        sql(), "coalesce(max(seq), 0) + 1 as number from sqlite_sequence where name = 'outbox'"));
    return {};
  });
  return opened ? expire(clock_.wall()) : opened;
}

HotStatements& SqliteJournal::hot() {
  if (!hot_) hot_.emplace(sql());
  return *hot_;
}

Result<void> SqliteJournal::pin(const VolumeRecord& volume) {
  return perform([&]() -> Result<void> {
    auto& statement = hot().pin;
    statement.row = {volume.id, volume.subject, text_of(volume.pinned),
                     text_of(volume.view, volume.largest)};
    statement.run();
    return {};
  });
}

Result<void> SqliteJournal::unpin(const std::string& volume_id) {
  return perform([&]() -> Result<void> {
    sql() << "delete from volumes where id = :id", soci::use(volume_id);
    return {};
  });
}

Result<std::vector<VolumeRecord>> SqliteJournal::volumes() {
  return perform(
      [&] { return all_of(rows_of<VolumeRow>(sql(), "from volumes order by id"), volume_of); });
}

Result<JobId> SqliteJournal::accept(const JobRecord& job) {
  return perform([&]() -> Result<JobId> {
    Database::Whole whole(*database_);
    if (auto known = job_of_key(job.uid, job.idempotency_key))
      return failure(ErrorCode::invalid_args,
                     fmt::format("idempotency-key already stands for job {}", *known));
    const auto id = insert(job);
    whole.commit();
    return id;
  });
}

JobId SqliteJournal::insert(const JobRecord& job) {
  auto& statement = hot().accept;
  fill(statement.row, job);
  statement.run();
  long long id = 0;
  sql().get_last_insert_id("jobs", id);
  if (id > std::numeric_limits<JobId>::max())
    throw soci::soci_error("all job ids are used up; move the file away and restart volgrowd");
  return static_cast<JobId>(id);
}

/// A key that is a day old is free again, whether or not its job has been forgotten yet.
std::optional<long long> SqliteJournal::job_of_key(std::uint32_t uid, const std::string& key) {
  if (key.empty()) return std::nullopt;
  auto& statement = hot().key;
  statement.row = {.uid = uid, .key = key};
  if (!statement.found()) return std::nullopt;
  if (statement.row.started_at > micros(clock_.wall() - remembered)) return statement.row.id;
  sql() << "update jobs set idempotency_key = '' where id = :id", soci::use(statement.row.id);
  return std::nullopt;
}

Result<std::optional<JobRecord>> SqliteJournal::accepted(std::uint32_t uid,
                                                         const std::string& key) {
  return perform([&]() -> Result<std::optional<JobRecord>> {
    const auto id = job_of_key(uid, key);
    if (!id) return std::nullopt;
    auto job = job_of(rows_of<JobRow>(sql(), "from jobs where id = :id", *id).front());
    if (!job) return std::unexpected(std::move(job.error()));
    return std::move(*job);
  });
}

Result<std::vector<JobRecord>> SqliteJournal::unfinished() {
  return perform([&] {
    return all_of(rows_of<JobRow>(sql(), "from jobs where ended_at is null order by id"), job_of);
  });
}

Result<std::vector<FinishedJob>> SqliteJournal::finished(WallTime since) {
  return perform([&] {
    const auto rows = rows_of<EndRow>(
        sql(), "from jobs where ended_at > :since order by ended_at, id", micros(since));
    return all_of(rows, end_of);
  });
}

Result<std::uint64_t> SqliteJournal::finish(JobId job, const JobResult& result, WallTime ended_at) {
  return perform([&]() -> Result<std::uint64_t> {
    Database::Whole whole(*database_);
    const auto sequence = store_end(job, result, ended_at);
    if (hot().end.affected() == 0) return known_sequence(job);
    whole.commit();
    return sequence;
  });
}

/// Nothing is stored, and `end.affected()` is 0, when the job is unknown or has ended before.
std::uint64_t SqliteJournal::store_end(JobId job, const JobResult& result, WallTime ended_at) {
  auto of_this_job = result;
  of_this_job.job = job;
  const auto sequence = next_sequence_;
  auto& end = hot().end;
  end.row.id = job;
  end.row.ended_at = micros(ended_at);
  end.row.sequence = bits(sequence);
  end.row.state = name_of(result.state);
  end.row.result_volume_id = result.volume_id;
  end.row.result = to_json(of_this_job);
  end.row.error_name = result.error ? name_of(result.error->code) : std::string_view();
  end.row.error_message = result.error ? result.error->message : std::string();
  end.run();
  if (end.affected() == 0) return sequence;

  // Written once, here: what is listed later is this text, whatever version lists it.
  auto& report = hot().report;
  report.row = {bits(sequence), job,
                to_json(Report{host_, uuid_, sequence, std::move(of_this_job)})};
  report.run();
  ++next_sequence_;  // also when the transaction fails: a gap is harmless, a number given twice is
                     // not
  return sequence;
}

Result<std::uint64_t> SqliteJournal::known_sequence(JobId job) {
  const auto rows = rows_of<NumberRow>(
      sql(), "from (select sequence as number from jobs where id = :id and ended_at is not null)",
      static_cast<long long>(job));
  if (rows.empty())
    return failure(ErrorCode::internal,
                   fmt::format("journal {}: no job {}", database_->path(), job));
  return unsigned_of(rows.front().number);
}

Result<void> SqliteJournal::remember_straggler(const std::string& queue, JobId job,
                                               std::uint32_t paths) {
  return perform([&]() -> Result<void> {
    const auto id = static_cast<long long>(job);
    const auto count = static_cast<long long>(paths);
    sql() << "insert into stragglers (queue, job, paths) values (:queue, :job, :paths)"
             " on conflict (queue) do update set job = excluded.job, paths = excluded.paths",
        soci::use(queue), soci::use(id), soci::use(count);
    return {};
  });
}

Result<void> SqliteJournal::forget_straggler(const std::string& queue) {
  return perform([&]() -> Result<void> {
    sql() << "delete from stragglers where queue = :queue", soci::use(queue);
    return {};
  });
}

Result<std::vector<StragglerRecord>> SqliteJournal::stragglers() {
  return perform([&] {
    return all_of(
        rows_of<StragglerRow>(sql(), "from stragglers order by queue"),
        [this](const StragglerRow& row) -> Result<StragglerRecord> {
          auto job = job_of(rows_of<JobRow>(sql(), "from jobs where id = :id", row.job).front());
          if (!job) return std::unexpected(std::move(job.error()));
          return StragglerRecord{row.queue, std::move(*job), static_cast<std::uint32_t>(row.paths)};
        });
  });
}

Result<std::vector<std::pair<std::uint64_t, std::string>>> SqliteJournal::outbox(
    std::uint32_t max) {
  return perform([&]() -> Result<std::vector<std::pair<std::uint64_t, std::string>>> {
    std::vector<std::pair<std::uint64_t, std::string>> reports;
    for (auto& row : rows_of<ReportRow>(sql(), "from outbox order by sequence limit :max",
                                        static_cast<long long>(max)))
      reports.emplace_back(unsigned_of(row.sequence), std::move(row.report));
    return reports;
  });
}

Result<void> SqliteJournal::acknowledge(const std::vector<std::uint64_t>& sequences) {
  return perform([&]() -> Result<void> {
    Database::Whole whole(*database_);
    auto& statement = hot().acknowledge;
    for (const auto sequence : sequences) {
      statement.row.number = bits(sequence);
      statement.run();
    }
    whole.commit();
    return {};
  });
}

Result<std::uint32_t> SqliteJournal::outbox_depth() {
  return perform([&]() -> Result<std::uint32_t> {
    return static_cast<std::uint32_t>(number_of(sql(), "count(*) as number from outbox"));
  });
}

/// A job stays while its report waits to be fetched, or a path it left behind to come back.
Result<void> SqliteJournal::expire(WallTime now) {
  return perform([&]() -> Result<void> {
    Database::Whole whole(*database_);
    forget_before(micros(now - remembered));
    whole.commit();
    return {};
  });
}

void SqliteJournal::forget_before(long long time) {
  sql() << "delete from jobs where ended_at <= :time and id not in (select job from outbox)"
           " and id not in (select job from stragglers)",
      soci::use(time);
  sql() << "update jobs set idempotency_key = ''"
           " where idempotency_key <> '' and started_at <= :time",
      soci::use(time);
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& path,
                                               const std::string& host, const Clock& clock) {
  auto database = Database::open(path, journal_kind);
  if (!database) return std::unexpected(std::move(database.error()));
  auto journal = std::make_unique<SqliteJournal>(std::move(*database), host, clock);
  if (auto started = journal->start(); !started) return std::unexpected(std::move(started.error()));
  return journal;
}

}  // namespace volgrow::agent
