// SPDX-License-Identifier: Apache-2.0
//
// What the shards see of the store.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/store.h"
#include "sim/store_work.h"

namespace vrelo::sim {
namespace {

template <typename T>
class Operation final : public log::OperationOf<T> {
 public:
  explicit Operation(std::shared_ptr<log::Caller> caller)
      : log::OperationOf<T>(std::move(caller)) {}
};

}  // namespace

class Store::Read final : public Store::Job {
 public:
  using Op = Operation<log::Page>;
  Read(std::unique_ptr<Op> op,
       log::Position after,
       log::Selection selection,
       log::ReadLimits limits)
      : op_(std::move(op)), after_(after), selection_(std::move(selection)), limits_(limits) {}

  void run(Store& store) override { op_->result = store.read(after_, selection_, limits_); }
  log::OperationPtr take() override { return std::move(op_); }
  log::Caller& caller() override { return op_->caller(); }

 private:
  std::unique_ptr<Op> op_;
  log::Position after_;
  log::Selection selection_;
  log::ReadLimits limits_;
};

class Store::Find final : public Store::Job {
 public:
  using Op = Operation<std::optional<log::Position>>;
  Find(std::unique_ptr<Op> op, std::string id) : op_(std::move(op)), id_(std::move(id)) {}

  void run(Store& store) override {
    if (store.shipped_ != nullptr) {
      op_->result = store.shipped_->find(id_);
      return;
    }
    op_->result = std::optional<log::Position>();
    for (const log::Position position : store.find(id_)) {
      if (store.keeps(position)) {
        op_->result = std::optional(position);
        return;
      }
    }
  }
  log::OperationPtr take() override { return std::move(op_); }
  log::Caller& caller() override { return op_->caller(); }

 private:
  std::unique_ptr<Op> op_;
  std::string id_;
};

// A tail that waits.
class Store::Next final : public Store::Job {
 public:
  using Op = Operation<std::vector<log::RecordPtr>>;
  Next(std::unique_ptr<Op> op, log::Position after, log::ReadLimits limits)
      : op_(std::move(op)), after_(after), limits_(limits) {}

  bool ready(const Store& store) const override {
    return after_ != log::Position{.epoch = store.chapter().epoch, .offset = store.chapter().end};
  }
  void run(Store& store) override {
    auto page = store.read(after_, {.all = true}, limits_);
    if (page) {
      op_->result = std::move(page->records);
    } else {
      op_->result = page.error();
    }
  }
  log::OperationPtr take() override { return std::move(op_); }
  log::Caller& caller() override { return op_->caller(); }

 private:
  std::unique_ptr<Op> op_;
  log::Position after_;
  log::ReadLimits limits_;
};

class Store::ShardTail final : public log::Tail {
 public:
  ShardTail(Store& store, std::shared_ptr<log::Caller> caller, log::Position after)
      : store_(store), caller_(std::move(caller)), after_(after) {}

  log::Awaitable<std::vector<log::RecordPtr>> next(log::ReadLimits limits) override {
    store_.schedule_.interrupt();
    if (caller_->stopped) {
      co_return log::Errc::kStopped;
    }
    auto records = co_await log::wait_for(
        std::make_unique<Next::Op>(caller_), [&](std::unique_ptr<Next::Op> op) {
          store_.jobs_.push_back(std::make_unique<Next>(std::move(op), after_, limits));
        });
    if (records) {
      after_ = records->back()->position;
    }
    co_return records;
  }

  void stop() override { store_.stop(*caller_); }

 private:
  Store& store_;
  const std::shared_ptr<log::Caller> caller_;  // its own, so that it can be stopped alone
  log::Position after_;
};

class Store::ShardLog final : public log::Log {
 public:
  ShardLog(Store& store, base::Executor executor)
      : store_(store), caller_(std::make_shared<log::Caller>(std::move(executor))) {}

  log::Awaitable<log::Appended> append(log::Event event) override {
    store_.schedule_.interrupt();
    if (caller_->stopped) {
      co_return log::Errc::kStopped;
    }
    co_return co_await log::wait_for(
        std::make_unique<Append>(caller_, std::move(event)),
        [&](std::unique_ptr<Append> op) { store_.appends_.push_back(std::move(op)); });
  }

  log::Awaitable<log::Page> read(log::Position after,
                                 log::Selection selection,
                                 log::ReadLimits limits) override {
    store_.schedule_.interrupt();
    if (caller_->stopped) {
      co_return log::Errc::kStopped;
    }
    co_return co_await log::wait_for(
        std::make_unique<Read::Op>(caller_), [&](std::unique_ptr<Read::Op> op) {
          store_.jobs_.push_back(
              std::make_unique<Read>(std::move(op), after, std::move(selection), limits));
        });
  }

  std::unique_ptr<log::Tail> tail(log::Position after) override {
    tails_.push_back(std::make_shared<log::Caller>(caller_->executor));
    tails_.back()->stopped = caller_->stopped;
    return std::make_unique<ShardTail>(store_, tails_.back(), after);
  }

  log::Awaitable<std::optional<log::Position>> find(std::string event_id) override {
    store_.schedule_.interrupt();
    if (caller_->stopped) {
      co_return log::Errc::kStopped;
    }
    co_return co_await log::wait_for(
        std::make_unique<Find::Op>(caller_), [&](std::unique_ptr<Find::Op> op) {
          store_.jobs_.push_back(std::make_unique<Find>(std::move(op), std::move(event_id)));
        });
  }

  log::Position end() const override {
    store_.schedule_.interrupt();
    const Chapter& chapter = store_.chapter();
    const log::Position end{.epoch = chapter.epoch, .offset = chapter.end};
    store_.schedule_.interrupt();
    return end;
  }
  log::Position begin() const override {
    store_.schedule_.interrupt();
    const Chapter& chapter = store_.chapter();
    const log::Position begin{.epoch = chapter.epoch, .offset = chapter.begin};
    store_.schedule_.interrupt();
    return begin;
  }

  void stop() override {
    store_.stop(*caller_);
    for (const auto& tail : tails_) {
      store_.stop(*tail);
    }
  }

 private:
  Store& store_;
  const std::shared_ptr<log::Caller> caller_;
  std::vector<std::shared_ptr<log::Caller>> tails_;
};

std::unique_ptr<log::Log> Store::log(base::Executor executor) {
  return std::make_unique<ShardLog>(*this, std::move(executor));
}

}  // namespace vrelo::sim
