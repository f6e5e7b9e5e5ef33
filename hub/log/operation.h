// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

#include "hub/base/task.h"
#include "hub/log/log.h"

namespace vrelo::log {

// The Log of one shard, as its operations see it.
//
// Threads: `stopped` is the shard's own; the rest any.
struct Caller {
  explicit Caller(base::Executor shard) : executor(std::move(shard)) {}

  // Waits until no other thread is within a post to the executor. What it posted may have run by
  // then, and it still uses the loop: the shard that destroys its Log, and then its loop, waits.
  void wait_for_posts() const;

  const base::Executor executor;
  bool stopped = false;
  std::atomic<int> posts = 0;  // that threads are within
};

// What a coroutine of a shard waits for while another thread does it.
//
// Threads: made and completed on the shard's thread; in between it belongs to whoever holds it.
// Lifetime: destroyed without having completed, it destroys the coroutine too.
class Operation {
 public:
  virtual ~Operation() = default;

  // Resumes the coroutine. Threads: the shard's.
  virtual void complete() = 0;

  Caller& caller() { return *caller_; }
  const std::shared_ptr<Caller>& shared_caller() const { return caller_; }

 protected:
  explicit Operation(std::shared_ptr<Caller> caller)
      : caller_(std::move(caller)), work_(caller_->executor) {}

 private:
  std::shared_ptr<Caller> caller_;
  boost::asio::executor_work_guard<base::Executor>
      work_;  // the shard's loop must not end meanwhile
};

using OperationPtr = std::unique_ptr<Operation>;

// Lets each operation complete on its shard, with one message per shard. Order: kept within a
// shard.
void complete_all(std::vector<OperationPtr> operations);

// An operation that gives a T.
template <typename T>
class OperationOf : public Operation {
 public:
  using Result = boost::system::result<T>;

  void complete() final {
    // A copy on the stack: to resume may destroy this operation.
    Result given = caller().stopped ? Result(Errc::kStopped) : std::move(result);
    std::move (*handler_)(std::move(given));
  }

  Result result = Errc::kUnavailable;

 protected:
  using Operation::Operation;

 private:
  template <typename Op, typename Start>
  friend auto wait_for(std::unique_ptr<Op> operation, Start start);

  using Token = boost::asio::use_awaitable_t<base::Executor>;
  using Handler = typename boost::asio::async_result<Token, void(Result)>::handler_type;

  std::optional<Handler> handler_;
};

// Gives `operation` to `start`, which hands it on, and waits until it has completed.
template <typename Op, typename Start>
auto wait_for(std::unique_ptr<Op> operation, Start start) {
  return boost::asio::async_initiate<const typename Op::Token, void(typename Op::Result)>(
      [](auto handler, std::unique_ptr<Op> op, Start begin) {
        op->handler_.emplace(std::move(handler));
        begin(std::move(op));
      },
      typename Op::Token(), std::move(operation), std::move(start));
}

}  // namespace vrelo::log
