// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/sqlite_log.h"

#include <cassert>
#include <utility>
#include <variant>

namespace vrelo::log::sqlite {
namespace {

// A tail waits for the next commit.
class CommitWait final : public OperationOf<std::monostate> {
 public:
  explicit CommitWait(std::shared_ptr<Caller> caller) : OperationOf(std::move(caller)) {
    result = std::monostate();
  }
};

void complete(OperationPtr operation) {
  std::vector<OperationPtr> one;
  one.push_back(std::move(operation));
  complete_all(std::move(one));
}

}  // namespace

SqliteLog::SqliteLog(const Engine& engine, base::Executor executor)
    : engine_(engine), caller_(std::make_shared<Caller>(executor)) {}

SqliteLog::~SqliteLog() {
  assert(tails_.empty());
  caller_->wait_for_posts();
}

Awaitable<Appended> SqliteLog::append(Event event) {
  if (caller_->stopped) {
    co_return Errc::kStopped;
  }
  auto operation =
      std::make_unique<AppendOperation>(caller_, std::move(event), engine_.sources.hash_key);
  co_return co_await wait_for(std::move(operation), [this](std::unique_ptr<AppendOperation> op) {
    engine_.writer.append(std::move(op));
  });
}

Awaitable<Page> SqliteLog::read(Position after, Selection selection, ReadLimits limits) {
  if (caller_->stopped) {
    co_return Errc::kStopped;
  }
  const auto page = co_await wait_for(
      std::make_unique<ReadOperation>(caller_), [&](std::unique_ptr<ReadOperation> op) {
        engine_.readers.add(
            std::make_unique<ReadPage>(std::move(op), engine_.sources, after, selection, limits));
      });
  co_return page || !engine_.catalog.is_stopped() ? page : Errc::kStopped;
}

std::unique_ptr<Tail> SqliteLog::tail(Position after) {
  return std::make_unique<SqliteTail>(*this, after);
}

Awaitable<std::optional<Position>> SqliteLog::find(std::string event_id) {
  if (caller_->stopped) {
    co_return Errc::kStopped;
  }
  const auto found = co_await wait_for(
      std::make_unique<FindOperation>(caller_), [&](std::unique_ptr<FindOperation> op) {
        engine_.readers.add(
            std::make_unique<FindId>(std::move(op), engine_.sources, std::move(event_id)));
      });
  co_return found || !engine_.catalog.is_stopped() ? found : Errc::kStopped;
}

void SqliteLog::stop() {
  caller_->stopped = true;
  for (SqliteTail* const tail : tails_) {
    tail->stop();
  }
}

SqliteTail::SqliteTail(SqliteLog& log, Position after) : log_(log), cursor_(after) {
  stopped_ = log_.caller_->stopped;
  log_.tails_.push_back(this);
}

SqliteTail::~SqliteTail() {
  assert(waiting_ == nullptr);
  std::erase(log_.tails_, this);
}

Awaitable<std::vector<RecordPtr>> SqliteTail::next(ReadLimits limits) {
  const Engine& engine = log_.engine_;
  while (!stopped_) {
    Catalog::Recent recent = engine.catalog.recent(cursor_, limits);
    switch (recent.kind) {
      case Catalog::Recent::Kind::kRecords:
        cursor_ = recent.records.back()->position;
        co_return std::move(recent.records);
      case Catalog::Recent::Kind::kGone:
        co_return Errc::kPositionGone;
      case Catalog::Recent::Kind::kStopped:
        co_return Errc::kStopped;
      case Catalog::Recent::Kind::kStorage: {
        auto page = co_await log_.read(cursor_, {.all = true}, limits);
        if (stopped_) {
          co_return Errc::kStopped;
        }
        if (!page) {
          co_return page.error();
        }
        if (!page->records.empty()) {
          cursor_ = page->next;
          co_return std::move(page->records);
        }
        break;
      }
      case Catalog::Recent::Kind::kWait: {
        auto operation = std::make_unique<CommitWait>(log_.caller_);
        waiting_ = operation.get();
        const auto woken = co_await wait_for(std::move(operation), [&](OperationPtr op) {
          if (OperationPtr early = engine.catalog.wait(cursor_, std::move(op))) {
            complete(std::move(early));
          }
        });
        waiting_ = nullptr;
        if (!woken) {
          co_return woken.error();
        }
        break;
      }
    }
  }
  co_return Errc::kStopped;
}

void SqliteTail::stop() {
  stopped_ = true;
  if (waiting_ != nullptr) {
    // If it is no longer kept, it is on its way here.
    if (OperationPtr operation = log_.engine_.catalog.take_waiter(waiting_)) {
      complete(std::move(operation));
    }
  }
}

}  // namespace vrelo::log::sqlite
