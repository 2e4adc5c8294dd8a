// SPDX-License-Identifier: Apache-2.0
// The one place that opens a database, and that puts SQLite's failures into an operator's words.
#include "service/database.h"

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "core/files.h"

namespace volgrow {
namespace {

struct Trouble {
  int code;
  std::string_view found;
  std::string_view remedy;  ///< {0}: the program, {1}: what is lost
};

constexpr std::array troubles{
    Trouble{SQLITE_FULL, "the disk is full", "free space in its file system"},
    Trouble{SQLITE_READONLY, "the file or its file system is read-only",
            "make it writable for {0}"},
    Trouble{SQLITE_CORRUPT, "the database is corrupt", "move it away and restart {0}: {1}"},
    Trouble{SQLITE_NOTADB, "the file is no SQLite database",
            "move it away and restart {0}, or mend the path"},
    Trouble{SQLITE_CANTOPEN, "the file cannot be opened", "check its directory and permissions"},
    Trouble{SQLITE_IOERR, "reading or writing failed", "check the disk and the kernel's log"},
    Trouble{SQLITE_BUSY, "another program holds a lock on it", "end that program"},
};

/// SOCI's what() also quotes the bound values, which are none of a log's business.
std::string sentence_of(const soci::soci_error& error, const DatabaseKind& kind) {
  if (const auto* from_sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error))
    for (const auto& trouble : troubles)
      if (trouble.code == (from_sqlite->result() & 0xff))
        return fmt::format("{}; {}", trouble.found,
                           fmt::format(fmt::runtime(trouble.remedy), kind.program, kind.loss));
  return error.get_error_message();
}

/// Before SQLite sees it: SQLite would create the file with the umask's mode, and gives its -wal
/// and -shm files the mode of the database.
Result<void> make_private(const std::filesystem::path& path) {
  const Fd created(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (created) return {};
  if (errno != EEXIST) return system_failure(errno, fmt::format("create {}", path.native()));
  if (::chmod(path.c_str(), 0600) < 0)
    return system_failure(errno, fmt::format("make {} private", path.native()));
  return {};
}

/// Two daemons on one journal would both resume its jobs and both report them.
Result<Fd> lock_out_others(const std::filesystem::path& path, const DatabaseKind& kind) {
  auto lock = lock_file(path.native() + ".lock");
  if (lock || lock.error().code != ErrorCode::busy) return lock;
  return failure(ErrorCode::busy, fmt::format("{} {}: another {} is using it; stop that one first",
                                              kind.what, path.native(), kind.program));
}

/// FULL: a commit is on disk when it returns, or a power cut could forget an accepted job or repeat
/// a report's sequence with other content (NORMAL in WAL mode promises neither). An fdatasync costs
/// about 0.2 ms on an SSD, and begin/commit lets a thousand jobs share one.
void configure(soci::session& sql) {
  std::string mode;
  sql << "pragma journal_mode = wal", soci::into(mode);
  sql << "pragma synchronous = full";
  sql << "pragma foreign_keys = on";
  sql << "pragma trusted_schema = off";
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path,
                                                 const DatabaseKind& kind) {
  auto lock = lock_out_others(path, kind);
  if (!lock) return std::unexpected(std::move(lock.error()));
  if (auto made = make_private(path); !made) return std::unexpected(std::move(made.error()));
  auto database = std::make_unique<Database>(std::move(*lock), path.native(), kind);
  if (auto started = database->start(); !started)
    return std::unexpected(std::move(started.error()));
  return database;
}

Result<std::unique_ptr<Database>> Database::look(const std::filesystem::path& path,
                                                 const DatabaseKind& kind) {
  if (std::error_code none; !std::filesystem::exists(path, none))
    return failure(ErrorCode::internal, fmt::format("there is no {} {}; has {} been started?",
                                                    kind.what, path.native(), kind.program));
  auto database = std::make_unique<Database>(Fd(), path.native(), kind);
  if (auto started = database->start_looking(); !started)
    return std::unexpected(std::move(started.error()));
  return database;
}

Database::Database(Fd lock, std::string path, const DatabaseKind& kind)
    : lock_(std::move(lock)), path_(std::move(path)), kind_(kind) {}

Result<void> Database::start() {
  return perform([this]() -> Result<void> {
    // Two seconds: nobody else writes here, and the event loop waits meanwhile.
    sql_.open(*soci::factory_sqlite3(), fmt::format("db=\"{}\" timeout=2", path_));
    auto ready = bring_up();
    if (ready) return ready;
    return std::unexpected(
        std::move(ready.error()).during(fmt::format("{} {}", kind_.what, path_)));
  });
}

Result<void> Database::start_looking() {
  return perform([this]() -> Result<void> {
    sql_.open(*soci::factory_sqlite3(), fmt::format("db=\"{}\" timeout=2", path_));
    sql_ << "pragma query_only = on";
    const auto version = rows::number_of(sql_, "user_version as number from pragma_user_version");
    if (version == kind_.version()) return {};
    return failure(ErrorCode::internal,
                   fmt::format("{} {} is of another version (schema {}, this one knows {})",
                               kind_.what, path_, version, kind_.version()));
  });
}

Result<void> Database::bring_up() {
  if (rows::number_of(sql_, "count(*) as number from sqlite_master") > 0) {
    auto checked = check_schema();
    if (checked) configure(sql_);
    return checked;
  }
  configure(sql_);
  create_schema();
  return {};
}

Result<void> Database::check_schema() {
  const auto version = rows::number_of(sql_, "user_version as number from pragma_user_version");
  if (rows::number_of(sql_, "application_id as number from pragma_application_id") !=
      kind_.application_id)
    return failure(ErrorCode::internal,
                   "the database belongs to another program; move it away or mend the path");
  if (version > kind_.version())
    return failure(ErrorCode::internal,
                   fmt::format("it was written by a newer {} (schema {}, this one knows {}); "
                               "install that version again, or move the file away",
                               kind_.program, version, kind_.version()));
  if (version < 1) return failure(ErrorCode::internal, fmt::format("unknown schema {}", version));
  if (version < kind_.version()) bring_up_from(version);
  return {};
}

void Database::create_schema() {
  sql_ << "begin immediate";
  for (const auto statement : kind_.schema)
    sql_ << std::string(statement);
  for (const auto statement : kind_.additions)
    sql_ << std::string(statement);
  if (kind_.seed) kind_.seed(sql_);
  sql_ << fmt::format("pragma application_id = {}", kind_.application_id);
  sql_ << fmt::format("pragma user_version = {}", kind_.version());
  sql_ << "commit";
}

void Database::bring_up_from(long long version) {
  sql_ << "begin immediate";
  for (auto next = static_cast<std::size_t>(version); next <= kind_.additions.size(); ++next)
    sql_ << std::string(kind_.additions.at(next - 1));
  sql_ << fmt::format("pragma user_version = {}", kind_.version());
  sql_ << "commit";
}

/// SQLite itself may have rolled back (full disk, I/O error): a group that lost its beginning must
/// not go on as if nothing had happened.
Error Database::failed(const soci::soci_error& error) {
  if (forget_) forget_();
  Error told{ErrorCode::internal,
             fmt::format("{} {}: {}", kind_.what, path_, sentence_of(error, kind_)),
             {},
             0};
  if (grouped_) {
    roll_back();
    broken_ = told;
  }
  return told;
}

void Database::roll_back() noexcept {
  try {
    sql_ << "rollback";
  } catch (const soci::soci_error&) {
    // "no transaction is active": SQLite has rolled back by itself already.
  }
}

Result<void> Database::begin() {
  if (grouped_) return {};
  return perform([this]() -> Result<void> {
    sql_ << "begin immediate";
    grouped_ = true;
    return {};
  });
}

Result<void> Database::commit() {
  if (!grouped_) return {};
  auto committed = perform([this]() -> Result<void> {
    sql_ << "commit";
    return {};
  });
  grouped_ = false;
  broken_.reset();
  return committed;
}

}  // namespace volgrow
