// SPDX-License-Identifier: Apache-2.0
#include "sim/store.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "hub/log/event_filter.h"
#include "sim/store_work.h"

namespace vrelo::sim {
namespace {

// How many appends share a commit, at most.
constexpr std::size_t kCommitAppends = 8;

constexpr log::Retention kEverything{
    .bytes_max = 0, .records_max = 0, .age_max = std::chrono::seconds(0)};

// A limit that no event is within.
constexpr log::Retention kNothing{
    .bytes_max = 1, .records_max = 0, .age_max = std::chrono::seconds(0)};

constexpr std::size_t kRemovedTopicsMax = 1'000'000;

void complete(log::OperationPtr operation) {
  std::vector<log::OperationPtr> one;
  one.push_back(std::move(operation));
  log::complete_all(std::move(one));
}

}  // namespace

std::size_t Chapter::index_after(std::uint64_t offset) const {
  const auto at = std::upper_bound(records.begin(), records.end(), offset,
                                   [](std::uint64_t wanted, const log::RecordPtr& record) {
                                     return wanted < record->position.offset;
                                   });
  return static_cast<std::size_t>(at - records.begin());
}

Store::Store(Schedule& schedule, Random& random) : schedule_(schedule), random_(random) {
  schedule_.add(*this);
  chapters_.push_back({.epoch = random_.number()});
}

Store::~Store() {
  schedule_.remove(*this);
}

bool Store::step() {
  using Act = bool (Store::*)();
  static constexpr std::array<Act, 4> kActs = {&Store::begin_transaction, &Store::end_transaction,
                                               &Store::do_job, &Store::complete_one};
  const std::size_t first = random_.below(kActs.size());
  for (std::size_t i = 0; i < kActs.size(); ++i) {
    if ((this->*kActs[(first + i) % kActs.size()])()) {
      return true;
    }
  }
  return false;
}

bool Store::begin_transaction() {
  if (transaction_ != nullptr || appends_.empty()) {
    return false;
  }
  transaction_ = std::make_unique<Transaction>();
  std::uint64_t end = chapter().end;
  const std::size_t count =
      std::min<std::size_t>(appends_.size(), random_.between(1, kCommitAppends));
  for (std::size_t i = 0; i < count; ++i) {
    write(*appends_.front(), end);
    transaction_->appends.push_back(std::move(appends_.front()));
    appends_.pop_front();
  }
  return true;
}

// Writes what `append` brings into the transaction.
void Store::write(Append& append, std::uint64_t& end) {
  if (habits.full) {
    append.result = log::Errc::kFull;
    return;
  }
  const log::Event& event = append.event;
  if (!event.id.empty()) {
    const auto equal = std::find_if(transaction_->records.begin(), transaction_->records.end(),
                                    [&](const auto& record) { return record->event == event; });
    const auto kept =
        equal != transaction_->records.end() ? std::optional((*equal)->position) : find_kept(event);
    if (kept) {
      append.result = log::Appended{.position = *kept, .is_new = false};
      return;
    }
  }
  end += random_.between(1, habits.stride_max);
  const log::Position position{.epoch = chapter().epoch, .offset = end};
  stored_last_ = std::max(stored_last_, schedule_.clock().wall());  // never decreases
  append.result = log::Appended{.position = position};
  transaction_->records.push_back(std::make_shared<const log::Record>(
      log::Record{.position = position, .stored_at = stored_last_, .event = append.event}));
}

// A transaction that fails leaves nothing; a store that is away may also keep it and not say so.
bool Store::end_transaction() {
  if (transaction_ == nullptr) {
    return false;
  }
  const bool fails = habits.away || random_.one_in(habits.fails_one_in);
  if (!fails || (habits.away && random_.one_in(2))) {
    commit();
  }
  for (std::unique_ptr<Append>& append : transaction_->appends) {
    if (append != nullptr) {
      if (fails) {
        append->result = log::Errc::kUnavailable;
      }
      done_.push_back(std::move(append));
    }
  }
  transaction_ = nullptr;
  return true;
}

void Store::commit() {
  Chapter& chapter = chapters_.back();
  for (log::RecordPtr& written : transaction_->records) {
    const log::RecordPtr record = keep(std::move(written));
    chapter.records.push_back(record);
    chapter.end = record->position.offset;
    if (!record->event.id.empty()) {
      ids_[record->event.id].push_back(record);
    }
  }
  if (habits.records_max != 0 && chapter.records.size() > habits.records_max) {
    remove_to(chapter.records[chapter.records.size() - habits.records_max - 1]->position.offset);
  }
}

// Returns the record as it is kept.
log::RecordPtr Store::keep(log::RecordPtr record) {
  if (shipped_ == nullptr) {
    return record;
  }
  const log::Position before = shipped_->end();
  const auto appended = shipped_->append(record->event);
  assert(appended && appended->is_new && appended->position == record->position);
  return shipped_->read(before, {.all = true}, {}).value().records.at(0);
}

bool Store::do_job() {
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (habits.away || jobs_[i]->ready(*this)) {
      ready.push_back(i);
    }
  }
  if (ready.empty()) {
    return false;
  }
  const auto at = jobs_.begin() + static_cast<std::ptrdiff_t>(random_.pick(ready));
  const std::unique_ptr<Job> job = std::move(*at);
  jobs_.erase(at);
  if (!habits.away) {  // else the result stays what it was made as: kUnavailable
    job->run(*this);
  }
  done_.push_back(job->take());
  return true;
}

bool Store::complete_one() {
  if (done_.empty()) {
    return false;
  }
  const auto at = done_.begin() + static_cast<std::ptrdiff_t>(random_.below(done_.size()));
  log::OperationPtr operation = std::move(*at);
  done_.erase(at);
  complete(std::move(operation));
  return true;
}

void Store::remove(double share) {
  const Chapter& now = chapter();
  const std::size_t first = now.index_after(now.begin);
  const auto count =
      static_cast<std::size_t>(static_cast<double>(now.records.size() - first) * share);
  if (count > 0) {
    remove_to(now.records[first + count - 1]->position.offset);
  }
}

void Store::remove_to(std::uint64_t offset) {
  Chapter& now = chapters_.back();
  for (std::size_t i = now.index_after(now.begin);
       i < now.records.size() && now.records[i]->position.offset <= offset; ++i) {
    now.begin = now.records[i]->position.offset;
    for (const std::string& topic : now.records[i]->event.topics) {
      removed_[topic] = now.begin;
    }
  }
  if (shipped_ != nullptr) {
    const std::uint64_t kept = now.end - now.begin;
    shipped_->set_retention(
        kept == 0 ? kNothing : log::Retention{.bytes_max = 0, .records_max = kept, .age_max = {}});
    assert(shipped_->begin().offset == now.begin);
    shipped_->set_retention(kEverything);
  }
}

void Store::keep_in_shipped_log() {
  assert(chapter().end == 0);
  assert(habits.stride_max == 1);
  shipped_ = std::make_unique<log::memory::History>(kEverything, schedule_.clock_under_lock(),
                                                    kRemovedTopicsMax, chapter().epoch);
}

void Store::crash() {
  if (transaction_ != nullptr) {
    for (std::unique_ptr<Append>& append : transaction_->appends) {
      if (append != nullptr) {
        append->result = log::Errc::kUnavailable;
        done_.push_back(std::move(append));
      }
    }
    transaction_ = nullptr;
  }
}

void Store::replace() {
  crash();
  chapters_.push_back({.epoch = random_.number()});
  removed_.clear();
  if (shipped_ != nullptr) {
    keep_in_shipped_log();
  }
}

std::vector<log::Position> Store::find(const std::string& id) const {
  std::vector<log::Position> positions;
  if (const auto found = ids_.find(id); found != ids_.end()) {
    for (const log::RecordPtr& record : found->second) {
      positions.push_back(record->position);
    }
  }
  return positions;
}

bool Store::keeps(log::Position position) const {
  return position.epoch == chapter().epoch && position.offset > chapter().begin &&
         position.offset <= chapter().end;
}

bool Store::is_gone(log::Position after, const log::Selection& selection) const {
  const Chapter& now = chapter();
  if (after.epoch != now.epoch || after.offset > now.end) {
    return true;
  }
  if (after.offset >= now.begin) {
    return false;
  }
  return selection.all || !selection.patterns.empty() ||
         std::any_of(selection.topics.begin(), selection.topics.end(),
                     [&](const std::string& topic) {
                       const auto removed = removed_.find(topic);
                       return removed != removed_.end() && removed->second > after.offset;
                     });
}

boost::system::result<log::Page> Store::read(log::Position after,
                                             const log::Selection& selection,
                                             log::ReadLimits limits) {
  if (habits.page_records != 0) {
    limits.records_max =
        std::min<std::size_t>(limits.records_max, random_.between(1, habits.page_records));
  }
  if (shipped_ != nullptr) {
    return shipped_->read(after, selection, limits);
  }
  if (is_gone(after, selection)) {
    return log::Errc::kPositionGone;
  }
  const Chapter& now = chapter();
  log::Page page{.records = {}, .next = {.epoch = now.epoch, .offset = now.end}};
  std::size_t bytes = 0;
  log::EventFilter filter(selection);
  for (std::size_t i = now.index_after(std::max(after.offset, now.begin)); i < now.records.size();
       ++i) {
    if (!filter.wants(now.records[i]->event.topics)) {
      continue;
    }
    bytes += log::text_bytes(now.records[i]->event);
    if (!page.records.empty() &&
        (page.records.size() == limits.records_max || bytes > limits.bytes_max)) {
      page.next = page.records.back()->position;
      break;
    }
    page.records.push_back(now.records[i]);
  }
  return page;
}

std::optional<log::Position> Store::find_kept(const log::Event& event) const {
  if (const auto found = ids_.find(event.id); found != ids_.end()) {
    for (const log::RecordPtr& record : found->second) {
      if (keeps(record->position) && record->event == event) {
        return record->position;
      }
    }
  }
  return std::nullopt;
}

// Completes what waits for `caller`. What is in a transaction may be stored all the same.
void Store::stop(log::Caller& caller) {
  caller.stopped = true;
  const auto take_from = [&caller](auto& waiting, auto take) {
    for (auto& one : waiting) {
      if (one != nullptr && &one->caller() == &caller) {
        complete(take(one));
        one = nullptr;
      }
    }
  };
  const auto itself = [](auto& operation) { return log::OperationPtr(std::move(operation)); };
  if (transaction_ != nullptr) {
    take_from(transaction_->appends, itself);
  }
  take_from(appends_, itself);
  take_from(jobs_, [](auto& job) { return job->take(); });
  take_from(done_, itself);
  std::erase(appends_, nullptr);
  std::erase(jobs_, nullptr);
  std::erase(done_, nullptr);
}

}  // namespace vrelo::sim
