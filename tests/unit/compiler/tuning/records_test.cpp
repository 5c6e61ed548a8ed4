// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/records.h"

#include "tests/support/folders.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kiln::tuning {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class RecordsTest : public testing::Test {
protected:
  void SetUp() override {
    folder_ = test::scratchFolder() / "records";
    file_ = folder_ / "deeper" / "tune.db";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Records open() {
    Result<Records> records = Records::open(file_);
    EXPECT_TRUE(records) << records.status().message();
    return std::move(*records);
  }
  void fill(const std::string &name, int count) {
    Records records = open();
    const int64_t task = *records.task(task_);
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(records.add(task, name + std::to_string(i), {.cycles = 100}));
    }
  }
  void write(const std::string &bytes) {
    fs::create_directories(file_.parent_path());
    std::ofstream(file_, std::ios::binary) << bytes;
  }
  std::string read() {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void runSql(const char *sql) {
    fs::create_directories(file_.parent_path());
    sqlite3 *db = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }

  fs::path folder_, file_;
  const Task task_{.key = {"kernel", "machine", "v1"}, .title = "matmul M=1"};
};

TEST_F(RecordsTest, KeepsTrialsAndTheBest) {
  {
    Records records = open();
    const int64_t task = *records.task(task_);
    EXPECT_EQ(*records.task(task_), task);
    const std::pair<const char *, Measurement> trials[] = {
        {"a=1", {.cycles = 300, .lowerBound = 90}},
        {"a=2", {.cycles = 200, .lowerBound = 90}},
        {"a=3", {.cycles = 200, .lowerBound = 80}},
        {"a=4", {.code = StatusCode::kBudgetExceeded, .cycles = 100}},
        {"a=5", {.code = StatusCode::kDeviceLost, .message = "gone"}}};
    for (const auto &[setting, measurement] : trials) {
      EXPECT_TRUE(records.add(task, setting, measurement));
    }
  }
  Records records = open();
  const auto trials = *records.trials(*records.task(task_));
  ASSERT_EQ(trials.size(), 5U);
  EXPECT_EQ(trials.at("a=1"), (Measurement{.cycles = 300, .lowerBound = 90}));
  EXPECT_EQ(trials.at("a=5").message, "gone");
  const std::optional<Record> best = *records.best(task_.key);
  ASSERT_TRUE(best);
  EXPECT_EQ(best->setting, "a=2") << "of equals the first";
  EXPECT_EQ(best->cycles, 200U);
  EXPECT_EQ(best->lowerBound, 90U);
  EXPECT_EQ(best->trials, 5U);
}

TEST_F(RecordsTest, EveryPartOfTheKeyCounts) {
  fill("a=", 1);
  const Records records = open();
  for (const TaskKey &other : {TaskKey{"kernel2", "machine", "v1"},
                               TaskKey{"kernel", "machine2", "v1"},
                               TaskKey{"kernel", "machine", "v2"}}) {
    EXPECT_FALSE(*records.best(other));
  }
  const std::optional<Record> any = *records.best({"kernel", "machine", ""});
  ASSERT_TRUE(any);
  EXPECT_EQ(any->version, "v1");
}

TEST_F(RecordsTest, AKilledProcessLosesNoFinishedTrial) {
  const pid_t child = ::fork();
  if (child == 0) {
    Records records = open();
    const int64_t task = *records.task(task_);
    for (int i = 0; i < 20; ++i) {
      (void)records.add(task, "a=" + std::to_string(i), {.cycles = 100});
    }
    ::raise(SIGKILL);
  }
  int state = 0;
  ::waitpid(child, &state, 0);
  ASSERT_TRUE(WIFSIGNALED(state));
  Result<Records> records = Records::openToRead(file_);
  ASSERT_TRUE(records) << records.status().message();
  EXPECT_EQ(records->best(task_.key)->value().trials, 20U);
}

TEST_F(RecordsTest, TwoProcessesShareAFile) {
  const pid_t child = ::fork();
  if (child == 0) {
    fill("child", 50);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  fill("parent", 50);
  int state = 0;
  ::waitpid(child, &state, 0);
  EXPECT_EQ(WEXITSTATUS(state), 0);
  EXPECT_EQ(open().best(task_.key)->value().trials, 100U);
}

TEST_F(RecordsTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(5000, 'x');
  write(text);
  for (bool toRead : {false, true}) {
    Result<Records> records =
        toRead ? Records::openToRead(file_) : Records::open(file_);
    ASSERT_FALSE(records);
    EXPECT_EQ(records.status().code(), StatusCode::kCorrupt);
    EXPECT_THAT(records.status().message(), HasSubstr("tune.db"));
    EXPECT_THAT(records.status().message(), HasSubstr("left as it is"));
    EXPECT_EQ(read(), text);
  }
}

TEST_F(RecordsTest, ADatabaseOfAnotherProgramIsRefusedAndLeftAlone) {
  runSql("CREATE TABLE mail(x)");
  const std::string before = read();
  Result<Records> records = Records::open(file_);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.status().code(), StatusCode::kCorrupt);
  EXPECT_THAT(records.status().message(), HasSubstr("another program"));
  EXPECT_EQ(read(), before);
}

TEST_F(RecordsTest, ANewerFormatIsUnsupported) {
  (void)open();
  runSql("PRAGMA user_version = 7");
  Result<Records> records = Records::open(file_);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(records.status().message(), HasSubstr("format 7"));
}

// Whatever a damaged file does, it is a Status; what can be read, is.
TEST_F(RecordsTest, ADamagedFileIsReportedNeverACrash) {
  fill("a=", 200);
  const std::string whole = read();
  ASSERT_GT(whole.size(), 8192U);
  int refused = 0;
  for (size_t at = 0; at < whole.size(); at += 512) {
    std::string damaged = whole;
    damaged.replace(at, std::min<size_t>(512, whole.size() - at), 512, '\xff');
    write(damaged);
    Result<Records> records = Records::open(file_);
    if (!records) {
      ++refused;
      EXPECT_FALSE(records.status().message().empty());
      continue;
    }
    Result<int64_t> task = records->task(task_);
    refused += !task || !records->trials(*task);
  }
  EXPECT_GT(refused, 0);
}

TEST_F(RecordsTest, AMissingFileCannotBeRead) {
  Result<Records> records = Records::openToRead(file_);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.status().code(), StatusCode::kCorrupt);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(RecordsTest, ARecordedTrialIsNotMeasuredAgain) {
  SearchSpace space;
  space.knobs = {{"a", {1, 2, 3, 4}}};
  int runs = 0;
  auto cost = [&](const Setting &s, uint64_t above) {
    ++runs;
    const auto cycles = static_cast<uint64_t>(100 * s[0]);
    return above != 0 && cycles > above
               ? Measurement{.code = StatusCode::kBudgetExceeded,
                             .cycles = above}
               : Measurement{.cycles = cycles};
  };
  Records records = open();
  const int64_t task = *records.task(task_);
  auto measure = [&](int64_t value, uint64_t above) {
    FunctionMeasurer direct(cost);
    auto recorded = RecordedMeasurer::create(space, direct, records, task);
    recorded->submit(7, {value}, above);
    Result<Finished> finished = recorded->next();
    EXPECT_EQ(finished->trial, 7U);
    return finished->measurement;
  };
  EXPECT_EQ(measure(2, 0).cycles, 200U);
  EXPECT_EQ(measure(2, 0).cycles, 200U);
  EXPECT_EQ(runs, 1);
  // Stopped at 150: enough where 150 or less would do, not for more.
  EXPECT_EQ(measure(4, 150).code, StatusCode::kBudgetExceeded);
  EXPECT_EQ(measure(4, 120).code, StatusCode::kBudgetExceeded);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(measure(4, 300).cycles, 300U);
  EXPECT_EQ(measure(4, 0).cycles, 400U);
  EXPECT_EQ(runs, 4);
  EXPECT_EQ(measure(4, 150).code, StatusCode::kOk);
  EXPECT_EQ(runs, 4);
}

} // namespace
} // namespace kiln::tuning
