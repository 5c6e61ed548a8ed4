// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/process_pool.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kiln::tuning {

namespace {

int64_t nowMilliseconds() {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Calls `move(at, count)`, a send() or recv(), until all bytes have gone;
/// false when the other end is gone.
template <typename Byte, typename Move>
bool moveAll(Byte *at, size_t count, const Move &move) {
  while (count > 0) {
    const ssize_t n = move(at, count);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    at += n;
    count -= static_cast<size_t>(n);
  }
  return true;
}

bool sendAll(int socket, const void *bytes, size_t count) {
  return moveAll(static_cast<const char *>(bytes), count,
                 [socket](const char *at, size_t left) {
                   return ::send(socket, at, left, MSG_NOSIGNAL);
                 });
}

bool receiveAll(int socket, void *bytes, size_t count) {
  return moveAll(
      static_cast<char *>(bytes), count,
      [socket](char *at, size_t left) { return ::recv(socket, at, left, 0); });
}

/// A message is its length and its bytes.
bool sendMessage(int socket, const std::string &text) {
  const uint64_t size = text.size();
  return sendAll(socket, &size, sizeof size) &&
         sendAll(socket, text.data(), text.size());
}

bool receiveMessage(int socket, std::string &text) {
  uint64_t size = 0;
  if (!receiveAll(socket, &size, sizeof size)) {
    return false;
  }
  text.resize(size);
  return receiveAll(socket, text.data(), size);
}

} // namespace

ProcessPool::ProcessPool(Handler handler, PoolOptions options)
    : handler_(std::move(handler)), options_(options) {
  const uint32_t threads = std::max(1U, std::thread::hardware_concurrency());
  slots_.resize(options.workers != 0 ? options.workers : threads);
}

ProcessPool::~ProcessPool() {
  for (Worker &worker : slots_) {
    if (worker.pid != 0) {
      ::kill(worker.pid, SIGKILL);
      bury(worker);
    }
  }
}

void ProcessPool::serve(int socket, pid_t parent) const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(0); // it ended before we could ask to hear of that
  }
  std::signal(SIGINT, SIG_IGN); // the parent decides, and takes us with it
  for (const Worker &other : slots_) {
    if (other.socket >= 0) {
      ::close(other.socket);
    }
  }
  std::string request;
  while (receiveMessage(socket, request) &&
         sendMessage(socket, handler_(request))) {
  }
  ::_exit(0);
}

Status ProcessPool::start(Worker &worker) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Status(StatusCode::kDeviceLost,
                  std::string("no socket for a worker process: ") +
                      std::strerror(errno));
  }
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    serve(ends[1], parent);
  }
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return Status(StatusCode::kDeviceLost,
                  std::string("no worker process: ") + std::strerror(errno));
  }
  worker = {};
  worker.pid = pid;
  worker.socket = ends[0];
  return Status::ok();
}

std::string ProcessPool::bury(Worker &worker) {
  int state = 0;
  while (::waitpid(worker.pid, &state, 0) < 0 && errno == EINTR) {
  }
  ::close(worker.socket);
  worker = {};
  if (WIFSIGNALED(state)) {
    return std::string("its process ended by a signal: ") +
           ::strsignal(WTERMSIG(state));
  }
  return "its process ended with exit code " +
         std::to_string(WEXITSTATUS(state)) + " and no answer";
}

void ProcessPool::fail(Worker &worker, const std::string &why) {
  const bool busy = worker.busy;
  const size_t id = worker.id;
  const std::string ended = bury(worker);
  if (busy) {
    const std::string &reason = why.empty() ? ended : why;
    answers_.push_back({id, Status(StatusCode::kDeviceLost, reason), {}});
  }
}

bool ProcessPool::send(Worker &worker, const Request &request) {
  if (!sendMessage(worker.socket, request.text)) {
    return false;
  }
  worker.busy = true;
  worker.id = request.id;
  worker.deadline = nowMilliseconds() + int64_t{1000} * options_.timeoutSeconds;
  return true;
}

Status ProcessPool::assign() {
  for (Worker &worker : slots_) {
    if (waiting_.empty()) {
      break;
    }
    if (worker.busy) {
      continue;
    }
    if (worker.pid == 0) {
      KILN_RETURN_IF_ERROR(start(worker));
    }
    if (!send(worker, waiting_.front())) {
      // It died while it had nothing to do: no request is harmed.
      bury(worker);
      KILN_RETURN_IF_ERROR(start(worker));
      if (!send(worker, waiting_.front())) {
        answers_.push_back({waiting_.front().id,
                            Status(StatusCode::kDeviceLost, bury(worker)),
                            {}});
      }
    }
    waiting_.pop_front();
  }
  return Status::ok();
}

void ProcessPool::receive(Worker &worker) {
  char buffer[4096];
  const ssize_t n = ::recv(worker.socket, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EINTR) {
    return;
  }
  if (n <= 0) {
    fail(worker, "");
    return;
  }
  worker.received.append(buffer, static_cast<size_t>(n));
  uint64_t size = 0;
  if (worker.received.size() < sizeof size) {
    return;
  }
  std::memcpy(&size, worker.received.data(), sizeof size);
  if (worker.received.size() >= sizeof size + size) {
    answers_.push_back(
        {worker.id, Status::ok(), worker.received.substr(sizeof size, size)});
    worker.received.clear();
    worker.busy = false;
  }
}

void ProcessPool::wait() {
  std::vector<pollfd> polls;
  int64_t soonest = nowMilliseconds() + 1000;
  for (const Worker &worker : slots_) {
    polls.push_back({worker.socket, POLLIN, 0}); // -1 is passed over
    soonest = worker.busy ? std::min(soonest, worker.deadline) : soonest;
  }
  const int64_t left = std::max<int64_t>(0, soonest - nowMilliseconds());
  if (::poll(polls.data(), polls.size(), static_cast<int>(left)) < 0) {
    return;
  }
  const int64_t now = nowMilliseconds();
  for (size_t i = 0; i < slots_.size(); ++i) {
    Worker &worker = slots_[i];
    if (polls[i].revents != 0) {
      receive(worker);
    } else if (worker.busy && now >= worker.deadline) {
      ::kill(worker.pid, SIGKILL);
      fail(worker, "did not end within " +
                       std::to_string(options_.timeoutSeconds) + " s");
    }
  }
}

void ProcessPool::submit(size_t id, std::string request) {
  waiting_.push_back({id, std::move(request)});
}

Result<ProcessPool::Answer> ProcessPool::next() {
  KILN_RETURN_IF_ERROR(assign());
  while (answers_.empty()) {
    const bool busy = std::any_of(slots_.begin(), slots_.end(),
                                  [](const Worker &w) { return w.busy; });
    if (!busy) {
      return Status(StatusCode::kInternal, "no request was submitted");
    }
    wait();
    KILN_RETURN_IF_ERROR(assign());
  }
  Answer answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

} // namespace kiln::tuning
