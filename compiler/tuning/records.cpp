// SPDX-License-Identifier: Apache-2.0
//
// The only source that sees SQLite.
#include "compiler/tuning/records.h"

#include <sqlite3.h>

namespace kiln::tuning {

namespace {

// "Kiln" in ASCII: says whose file it is.
constexpr int64_t kApplication = 0x4b696c6e;
constexpr int64_t kFormat = 1;

constexpr char kSchema[] = R"(
CREATE TABLE task(
  id INTEGER PRIMARY KEY,
  kernel TEXT NOT NULL, machine TEXT NOT NULL, version TEXT NOT NULL,
  title TEXT NOT NULL,
  UNIQUE(kernel, machine, version));
CREATE TABLE trial(
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task(id),
  setting TEXT NOT NULL,
  code INTEGER NOT NULL,
  message TEXT NOT NULL,
  cycles INTEGER NOT NULL,
  lower_bound INTEGER NOT NULL,
  UNIQUE(task, setting));
PRAGMA application_id = 1265200238;
PRAGMA user_version = 1;
)";
static_assert(kApplication == 1265200238 && kFormat == 1);

} // namespace

struct Records::State {
  std::string file;
  sqlite3 *db = nullptr;

  ~State() { sqlite3_close(db); }

  Status error(const std::string &what) const {
    const int code = sqlite3_errcode(db) & 0xff;
    const std::string why = db != nullptr ? sqlite3_errmsg(db) : "no memory";
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
      return Status(StatusCode::kCorrupt,
                    file + ": " + what + ": " + why +
                        "; it is left as it is: name another file with "
                        "--records, or move this one away");
    }
    return Status(StatusCode::kDoesNotFit, file + ": " + what + ": " + why);
  }

  Status run(const char *sql, const std::string &what) const {
    return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK
               ? Status::ok()
               : error(what);
  }
};

namespace {

/// A prepared statement; bind in order, then step row by row.
class Statement {
public:
  Statement(sqlite3 *db, const char *sql) {
    ok_ = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) == SQLITE_OK;
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement &) = delete;
  Statement &operator=(const Statement &) = delete;

  Statement &bind(std::string_view text) {
    ok_ = ok_ && sqlite3_bind_text(statement_, ++bound_, text.data(),
                                   static_cast<int>(text.size()),
                                   SQLITE_TRANSIENT) == SQLITE_OK;
    return *this;
  }
  Statement &bind(int64_t value) {
    ok_ = ok_ && sqlite3_bind_int64(statement_, ++bound_, value) == SQLITE_OK;
    return *this;
  }
  /// True: a row is there. False: the end, or an error.
  bool step() {
    last_ = ok_ ? sqlite3_step(statement_) : SQLITE_ERROR;
    return last_ == SQLITE_ROW;
  }
  bool failed() const { return last_ != SQLITE_ROW && last_ != SQLITE_DONE; }
  int64_t number(int column) {
    return sqlite3_column_int64(statement_, column);
  }
  uint64_t count(int column) { return static_cast<uint64_t>(number(column)); }
  std::string text(int column) {
    const unsigned char *text = sqlite3_column_text(statement_, column);
    return text != nullptr ? reinterpret_cast<const char *>(text) : "";
  }

private:
  sqlite3_stmt *statement_ = nullptr;
  int bound_ = 0;
  int last_ = SQLITE_DONE;
  bool ok_ = false;
};

} // namespace

Records::Records(std::unique_ptr<State> state) : state_(std::move(state)) {}
Records::~Records() = default;
Records::Records(Records &&) noexcept = default;
Records &Records::operator=(Records &&) noexcept = default;

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

namespace {

Result<int64_t> pragma(sqlite3 *db, const char *sql) {
  Statement statement(db, sql);
  if (!statement.step()) {
    return Status(StatusCode::kCorrupt, "");
  }
  return statement.number(0);
}

/// Whether the file is ours, and of a format that is known. `empty`: nobody
/// wrote to it yet.
template <typename State> Status checkFile(const State &state, bool &empty) {
  Result<int64_t> tables =
      pragma(state.db, "SELECT count(*) FROM sqlite_schema");
  Result<int64_t> owner = pragma(state.db, "PRAGMA application_id");
  Result<int64_t> format = pragma(state.db, "PRAGMA user_version");
  if (!tables || !owner || !format) {
    return state.error("cannot be read as a records file");
  }
  empty = *tables == 0 && *owner == 0;
  if (!empty && *owner != kApplication) {
    return Status(StatusCode::kCorrupt,
                  state.file + ": a database of another program, no records "
                               "of kiln tune; name another file with "
                               "--records");
  }
  if (!empty && *format != kFormat) {
    return Status(StatusCode::kUnsupported,
                  state.file + ": records of format " +
                      std::to_string(*format) + "; this Kiln knows format " +
                      std::to_string(kFormat) +
                      ": name another file with --records");
  }
  return Status::ok();
}

constexpr int kBusyMilliseconds = 10'000;

} // namespace

Result<Records> Records::open(const std::filesystem::path &file) {
  std::error_code error;
  if (file.has_parent_path()) {
    std::filesystem::create_directories(file.parent_path(), error);
  }
  auto state = std::make_unique<State>();
  state->file = file.string();
  if (sqlite3_open_v2(state->file.c_str(), &state->db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                      nullptr) != SQLITE_OK) {
    return state->error("cannot be opened");
  }
  sqlite3_busy_timeout(state->db, kBusyMilliseconds);
  // Another process may make the tables at the same time: look and make them
  // under one lock.
  KILN_RETURN_IF_ERROR(
      state->run("BEGIN IMMEDIATE", "cannot be used as a records file"));
  bool empty = false;
  KILN_RETURN_IF_ERROR(checkFile(*state, empty));
  if (empty) {
    KILN_RETURN_IF_ERROR(state->run(kSchema, "cannot be written"));
  }
  KILN_RETURN_IF_ERROR(state->run("COMMIT", "cannot be written"));
  // A write-ahead log survives the end of any process without a sync per
  // trial; where a file system has none, the slower journal stays.
  KILN_RETURN_IF_ERROR(
      state->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
                 "cannot be written"));
  return Records(std::move(state));
}

Result<Records> Records::openToRead(const std::filesystem::path &file) {
  auto state = std::make_unique<State>();
  state->file = file.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return Status(StatusCode::kCorrupt,
                  state->file + ": no such records file; kiln tune makes one");
  }
  // Not SQLITE_OPEN_READONLY: the log of a killed process must be replayed.
  if (sqlite3_open_v2(state->file.c_str(), &state->db, SQLITE_OPEN_READWRITE,
                      nullptr) != SQLITE_OK) {
    return state->error("cannot be opened");
  }
  sqlite3_busy_timeout(state->db, kBusyMilliseconds);
  bool empty = false;
  KILN_RETURN_IF_ERROR(checkFile(*state, empty));
  if (empty) {
    return Status(StatusCode::kCorrupt,
                  state->file + ": holds no records of kiln tune");
  }
  return Records(std::move(state));
}

//===----------------------------------------------------------------------===//
// Reading and writing
//===----------------------------------------------------------------------===//

Result<int64_t> Records::task(const Task &task) {
  Statement insert(state_->db,
                   "INSERT INTO task(kernel, machine, version, title) "
                   "VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING");
  insert.bind(task.key.kernel).bind(task.key.machine).bind(task.key.version);
  insert.bind(task.title).step();
  if (insert.failed()) {
    return state_->error("a task cannot be written");
  }
  Statement find(state_->db, "SELECT id FROM task WHERE kernel = ? AND "
                             "machine = ? AND version = ?");
  find.bind(task.key.kernel).bind(task.key.machine).bind(task.key.version);
  if (!find.step()) {
    return state_->error("a task cannot be read");
  }
  return find.number(0);
}

Status Records::add(int64_t task, std::string_view setting,
                    const Measurement &measurement) {
  Statement insert(state_->db,
                   "INSERT OR REPLACE INTO trial"
                   "(task, setting, code, message, cycles, lower_bound) "
                   "VALUES(?, ?, ?, ?, ?, ?)");
  insert.bind(task).bind(setting);
  insert.bind(static_cast<int64_t>(measurement.code));
  insert.bind(measurement.message);
  insert.bind(static_cast<int64_t>(measurement.cycles));
  insert.bind(static_cast<int64_t>(measurement.lowerBound)).step();
  return insert.failed() ? state_->error("a trial cannot be written")
                         : Status::ok();
}

Result<std::map<std::string, Measurement>> Records::trials(int64_t task) const {
  Statement rows(state_->db, "SELECT setting, code, message, cycles, "
                             "lower_bound FROM trial WHERE task = ?");
  rows.bind(task);
  std::map<std::string, Measurement> trials;
  while (rows.step()) {
    trials[rows.text(0)] = {.code = static_cast<StatusCode>(rows.number(1)),
                            .message = rows.text(2),
                            .cycles = rows.count(3),
                            .lowerBound = rows.count(4)};
  }
  if (rows.failed()) {
    return state_->error("trials cannot be read");
  }
  return trials;
}

Result<std::optional<Record>> Records::best(const TaskKey &key) const {
  Statement find(
      state_->db,
      "SELECT trial.setting, trial.cycles, trial.lower_bound, task.version, "
      "(SELECT count(*) FROM trial AS t WHERE t.task = task.id) "
      "FROM trial JOIN task ON trial.task = task.id "
      "WHERE task.kernel = ?1 AND task.machine = ?2 AND trial.code = 0 "
      "AND (?3 = '' OR task.version = ?3) "
      "ORDER BY task.id DESC, trial.cycles, trial.id LIMIT 1");
  find.bind(key.kernel).bind(key.machine).bind(key.version);
  if (!find.step()) {
    if (find.failed()) {
      return state_->error("the best trial cannot be read");
    }
    return std::optional<Record>();
  }
  return std::optional<Record>({.setting = find.text(0),
                                .cycles = find.count(1),
                                .lowerBound = find.count(2),
                                .trials = find.count(4),
                                .version = find.text(3)});
}

//===----------------------------------------------------------------------===//
// RecordedMeasurer
//===----------------------------------------------------------------------===//

Result<RecordedMeasurer> RecordedMeasurer::create(const SearchSpace &space,
                                                  Measurer &measurer,
                                                  Records &records,
                                                  int64_t task) {
  RecordedMeasurer recorded(space, measurer, records, task);
  KILN_ASSIGN_OR_RETURN(recorded.known_, records.trials(task));
  return recorded;
}

void RecordedMeasurer::submit(size_t trial, const Setting &setting,
                              uint64_t abortAbove) {
  std::string text = settingText(*space_, setting);
  const auto known = known_.find(text);
  // A run that was stopped early does not answer a question that lets it run
  // further.
  const bool answers =
      known != known_.end() &&
      (known->second.code != StatusCode::kBudgetExceeded ||
       (abortAbove != 0 && known->second.cycles >= abortAbove));
  if (answers) {
    ++fromRecords_;
    ready_.push_back({trial, known->second});
    return;
  }
  running_[trial] = std::move(text);
  measurer_->submit(trial, setting, abortAbove);
}

Result<Finished> RecordedMeasurer::next() {
  if (!ready_.empty()) {
    Finished first = std::move(ready_.front());
    ready_.pop_front();
    return first;
  }
  KILN_ASSIGN_OR_RETURN(Finished finished, measurer_->next());
  ++measured_;
  KILN_RETURN_IF_ERROR(
      records_->add(task_, running_.at(finished.trial), finished.measurement));
  running_.erase(finished.trial);
  return finished;
}

} // namespace kiln::tuning
