// SPDX-License-Identifier: Apache-2.0
// A semaphore in memory shared with every process forked later, descriptors or not: how a test and
// a worker wait for each other without sleeping.
#pragma once

#include <semaphore.h>
#include <sys/mman.h>

#include <new>

namespace volgrow {

class Gate {
 public:
  Gate() { ::sem_init(semaphore_, 1, 0); }
  ~Gate() { ::munmap(semaphore_, sizeof(sem_t)); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Lets one pass, now or later.
  void open() { ::sem_post(semaphore_); }
  void pass() {
    while (::sem_wait(semaphore_) != 0)
      continue;
  }

 private:
  sem_t* semaphore_ = static_cast<sem_t*>(
      ::mmap(nullptr, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
};

}  // namespace volgrow
