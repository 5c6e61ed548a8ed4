// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/cpu/block_pool.h"

#include <string>

namespace kiln::hal {

BlockPool::BlockPool(uint32_t threads) {
  for (uint32_t i = 1; i < threads; ++i) {
    helpers_.emplace_back([this] { help(); });
  }
}

BlockPool::~BlockPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread &helper : helpers_) {
    helper.join();
  }
}

void BlockPool::drain(Job &job) {
  while (!job.late) {
    uint32_t block = job.next.fetch_add(1);
    if (block >= job.blocks) {
      return;
    }
    if (job.deadline && std::chrono::steady_clock::now() > *job.deadline) {
      job.late = true;
      return;
    }
    (*job.body)(block);
  }
}

void BlockPool::help() {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock,
                  [&] { return stopping_ || (job_ && generation_ != seen); });
    if (stopping_) {
      return;
    }
    Job *job = job_;
    seen = generation_;
    ++busy_;
    lock.unlock();
    drain(*job);
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

Status BlockPool::run(uint32_t blocks, Deadline deadline,
                      const std::function<void(uint32_t)> &body) {
  std::lock_guard serial(serial_);
  Job job;
  job.blocks = blocks;
  job.deadline = deadline;
  job.body = &body;
  bool share = !helpers_.empty() && blocks > 1;
  if (share) {
    std::lock_guard lock(mutex_);
    job_ = &job;
    ++generation_;
    changed_.notify_all();
  }
  drain(job);
  if (share) {
    std::unique_lock lock(mutex_);
    job_ = nullptr;
    changed_.wait(lock, [&] { return busy_ == 0; });
  }
  if (job.late) {
    return {StatusCode::kBudgetExceeded, "time budget used up with blocks of " +
                                             std::to_string(blocks) + " left"};
  }
  return Status::ok();
}

} // namespace kiln::hal
