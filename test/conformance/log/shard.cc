// SPDX-License-Identifier: Apache-2.0
#include "test/conformance/log/shard.h"

#include <exception>

#include <boost/asio/co_spawn.hpp>

namespace vrelo::log {

Shard::Shard(Store& store) : log_(store.log(loop_.get_executor())) {}

Shard::~Shard() {
  log_->stop();
  loop_.restart();
  loop_.run();
}

Pending<Appended> Shard::start_append(Event event) {
  return start(log_->append(std::move(event)));
}

Pending<Page> Shard::start_read(Position after, Selection selection, ReadLimits limits) {
  return start(log_->read(after, std::move(selection), limits));
}

Pending<std::optional<Position>> Shard::start_find(std::string event_id) {
  return start(log_->find(std::move(event_id)));
}

Pending<std::vector<RecordPtr>> Shard::start_next(Tail& tail, ReadLimits limits) {
  return start(tail.next(limits));
}

void Shard::poll() {
  loop_.restart();
  loop_.poll();
}

std::vector<Result<Appended>> Shard::append_all(std::vector<Event> events) {
  std::vector<Pending<Appended>> pending;
  pending.reserve(events.size());
  for (Event& event : events) {
    pending.push_back(start_append(std::move(event)));
  }
  std::vector<Result<Appended>> results;
  results.reserve(pending.size());
  for (auto& one : pending) {
    results.push_back(wait(std::move(one)));
  }
  return results;
}

Result<std::vector<RecordPtr>> Shard::read_on(Position after,
                                              const Selection& selection,
                                              ReadLimits limits) {
  std::vector<RecordPtr> records;
  while (true) {
    auto page = read(after, selection, limits);
    if (!page) {
      return page.error();
    }
    records.insert(records.end(), page->records.begin(), page->records.end());
    if (page->next == after) {
      return records;
    }
    after = page->next;
  }
}

template <typename T>
Pending<T> Shard::start(Awaitable<T> task) {
  Pending<T> pending;
  boost::asio::co_spawn(
      loop_, std::move(task),
      [result = pending.result_](const std::exception_ptr& error, Result<T> given) {
        assert(error == nullptr);
        result->emplace(std::move(given));
      });
  return pending;
}

void Shard::turn() {
  loop_.restart();
  [[maybe_unused]] const std::size_t handlers = loop_.run_one();
  assert(handlers == 1);  // else nothing will ever complete the operation
}

std::vector<std::string> data_of(const std::vector<RecordPtr>& records) {
  std::vector<std::string> data;
  data.reserve(records.size());
  for (const RecordPtr& record : records) {
    data.push_back(record->event.data);
  }
  return data;
}

std::vector<std::uint64_t> offsets_of(const std::vector<RecordPtr>& records) {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(records.size());
  for (const RecordPtr& record : records) {
    offsets.push_back(record->position.offset);
  }
  return offsets;
}

}  // namespace vrelo::log
