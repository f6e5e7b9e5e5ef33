// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/memory_log.h"

#include <cassert>
#include <utility>
#include <variant>

namespace vrelo::log::memory {
namespace {

// A tail waits for the next record.
class RecordWait final : public OperationOf<std::monostate> {
 public:
  explicit RecordWait(std::shared_ptr<Caller> caller) : OperationOf(std::move(caller)) {
    result = std::monostate();
  }
};

void complete(OperationPtr operation) {
  std::vector<OperationPtr> one;
  one.push_back(std::move(operation));
  complete_all(std::move(one));
}

}  // namespace

MemoryLog::MemoryLog(History& history, base::Executor executor)
    : history_(history), caller_(std::make_shared<Caller>(executor)) {}

MemoryLog::~MemoryLog() {
  assert(tails_.empty());
  caller_->wait_for_posts();
}

Awaitable<Appended> MemoryLog::append(Event event) {
  if (caller_->stopped) {
    co_return Errc::kStopped;
  }
  co_return history_.append(std::move(event));
}

Awaitable<Page> MemoryLog::read(Position after, Selection selection, ReadLimits limits) {
  if (caller_->stopped) {
    co_return Errc::kStopped;
  }
  co_return history_.read(after, selection, limits);
}

std::unique_ptr<Tail> MemoryLog::tail(Position after) {
  return std::make_unique<MemoryTail>(*this, after);
}

Awaitable<std::optional<Position>> MemoryLog::find(std::string event_id) {
  if (caller_->stopped) {
    co_return Errc::kStopped;
  }
  co_return history_.find(event_id);
}

void MemoryLog::stop() {
  caller_->stopped = true;
  for (MemoryTail* const tail : tails_) {
    tail->stop();
  }
}

MemoryTail::MemoryTail(MemoryLog& log, Position after)
    : log_(log), cursor_(after), stopped_(log.caller_->stopped) {
  log_.tails_.push_back(this);
}

MemoryTail::~MemoryTail() {
  assert(waiting_ == nullptr);
  std::erase(log_.tails_, this);
}

Awaitable<std::vector<RecordPtr>> MemoryTail::next(ReadLimits limits) {
  assert(waiting_ == nullptr);
  while (!stopped_) {
    auto page = log_.history_.read(cursor_, {.all = true}, limits);
    if (!page) {
      co_return page.error();
    }
    if (!page->records.empty()) {
      cursor_ = page->next;
      co_return std::move(page->records);
    }
    auto operation = std::make_unique<RecordWait>(log_.caller_);
    waiting_ = operation.get();
    co_await wait_for(std::move(operation), [this](OperationPtr op) {
      if (OperationPtr early = log_.history_.wait(cursor_, std::move(op))) {
        complete(std::move(early));
      }
    });
    waiting_ = nullptr;
  }
  co_return Errc::kStopped;
}

void MemoryTail::stop() {
  stopped_ = true;
  if (waiting_ != nullptr) {
    // If it is no longer kept, it is on its way here.
    if (OperationPtr operation = log_.history_.take_waiter(waiting_)) {
      complete(std::move(operation));
    }
  }
}

}  // namespace vrelo::log::memory
