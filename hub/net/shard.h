// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/result.hpp>

#include "hub/base/task.h"

namespace vrelo::net {

// One event loop and its thread, which is named "vrelo-N" and takes no signals: those are for the
// main thread.
//
// An exception that leaves the loop can only be a bug, and ends the process.
//
// Threads: those of the owner, but for executor() and post(), which any may call.
// Order: start(), stop(), join(), once each; a Shard that was not started needs none of them.
class Shard {
 public:
  explicit Shard(std::size_t number);
  ~Shard();

  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  std::size_t number() const { return number_; }
  base::Executor executor() { return loop_.get_executor(); }

  // Errors: the system's, which has no thread left.
  boost::system::result<void> start();

  // Lets the loop end as soon as nothing is pending in it. What waits for ever (acceptors, open
  // connections, streams) has to be stopped too, before or after.
  void stop();

  // Waits for the end of the thread.
  void join();

  // Calls `f()` on the shard's thread, after what was posted before.
  template <typename F>
  void post(F&& f) {
    boost::asio::post(loop_, std::forward<F>(f));
  }

 private:
  const std::size_t number_;
  boost::asio::io_context loop_{1};
  std::optional<boost::asio::executor_work_guard<base::Executor>> work_;
  std::thread thread_;
};

}  // namespace vrelo::net
