// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/process_pool.h"

#include <csignal>
#include <map>
#include <memory>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kiln::tuning {
namespace {

using testing::HasSubstr;

std::string work(const std::string &request) {
  if (request == "crash") {
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
  }
  if (request == "exit") {
    ::_exit(3);
  }
  while (request == "hang") {
    ::pause();
  }
  return request == "pid" ? std::to_string(::getpid()) : request + "!";
}

std::map<size_t, ProcessPool::Answer> collect(ProcessPool &pool, size_t count) {
  std::map<size_t, ProcessPool::Answer> answers;
  for (size_t i = 0; i < count; ++i) {
    Result<ProcessPool::Answer> answer = pool.next();
    EXPECT_TRUE(answer) << answer.status().message();
    answers[answer->id] = *answer;
  }
  return answers;
}

TEST(ProcessPool, AnswersEveryRequestOnce) {
  ProcessPool pool(work, {.workers = 3});
  for (size_t i = 0; i < 50; ++i) {
    pool.submit(i, std::string(i * 1000, 'x'));
  }
  const auto answers = collect(pool, 50);
  ASSERT_EQ(answers.size(), 50U);
  for (const auto &[id, answer] : answers) {
    EXPECT_EQ(answer.text, std::string(id * 1000, 'x') + "!");
  }
  EXPECT_FALSE(pool.next());
}

TEST(ProcessPool, ADeadWorkerCostsItsRequestOnly) {
  ProcessPool pool(work, {.workers = 2});
  const char *requests[] = {"a", "crash", "b", "exit", "c", "d"};
  for (size_t i = 0; i < 6; ++i) {
    pool.submit(i, requests[i]);
  }
  auto answers = collect(pool, 6);
  EXPECT_EQ(answers[1].status.code(), StatusCode::kDeviceLost);
  EXPECT_THAT(answers[1].status.message(), HasSubstr("Aborted"));
  EXPECT_EQ(answers[3].status.code(), StatusCode::kDeviceLost);
  EXPECT_THAT(answers[3].status.message(), HasSubstr("exit code 3"));
  for (size_t i : {0, 2, 4, 5}) {
    EXPECT_TRUE(answers[i].status.isOk());
    EXPECT_EQ(answers[i].text, std::string(requests[i]) + "!");
  }
}

TEST(ProcessPool, AHangingWorkerIsStopped) {
  ProcessPool pool(work, {.workers = 1, .timeoutSeconds = 1});
  pool.submit(0, "hang");
  pool.submit(1, "after");
  auto answers = collect(pool, 2);
  EXPECT_EQ(answers[0].status.code(), StatusCode::kDeviceLost);
  EXPECT_EQ(answers[0].status.message(), "did not end within 1 s");
  EXPECT_EQ(answers[1].text, "after!");
}

TEST(ProcessPool, AWorkerKilledBetweenRequestsHarmsNone) {
  ProcessPool pool(work, {.workers = 1});
  pool.submit(0, "pid");
  const pid_t worker = std::stoi(collect(pool, 1)[0].text);
  ASSERT_NE(worker, ::getpid());
  ::kill(worker, SIGKILL);
  siginfo_t ended;
  ::waitid(P_PID, static_cast<id_t>(worker), &ended, WEXITED | WNOWAIT);
  pool.submit(1, "next");
  const ProcessPool::Answer answer = collect(pool, 1)[1];
  EXPECT_TRUE(answer.status.isOk()) << answer.status.message();
  EXPECT_EQ(answer.text, "next!");
}

TEST(ProcessPool, WorkersKeepTheirStateAndEndWithThePool) {
  auto count = std::make_shared<int>(0);
  pid_t worker = 0;
  {
    ProcessPool pool(
        [count](const std::string &request) {
          return request == "pid" ? work(request) : std::to_string(++*count);
        },
        {.workers = 1});
    pool.submit(0, "");
    pool.submit(1, "");
    pool.submit(2, "pid");
    auto answers = collect(pool, 3);
    EXPECT_EQ(answers[0].text, "1");
    EXPECT_EQ(answers[1].text, "2");
    EXPECT_EQ(*count, 0) << "the worker shares memory with its parent";
    worker = std::stoi(answers[2].text);
  }
  EXPECT_EQ(::kill(worker, 0), -1) << "the worker outlived its pool";
}

TEST(ProcessPool, StartsAsManyWorkersAsAskedFor) {
  ProcessPool pool(
      [](const std::string &) {
        ::usleep(20'000);
        return std::to_string(::getpid());
      },
      {.workers = 4});
  for (size_t i = 0; i < 8; ++i) {
    pool.submit(i, "");
  }
  std::set<std::string> pids;
  for (const auto &[id, answer] : collect(pool, 8)) {
    pids.insert(answer.text);
  }
  EXPECT_EQ(pids.size(), 4U);
}

} // namespace
} // namespace kiln::tuning
