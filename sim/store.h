// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/base/task.h"
#include "hub/log/log.h"
#include "hub/log/memory/history.h"
#include "hub/log/operation.h"
#include "sim/random.h"
#include "sim/schedule.h"

namespace vrelo::sim {

// All that one epoch of the log ever held. It is the truth that streams are compared with.
//
// Lifetime: as the store; nothing leaves it.
struct Chapter {
  std::uint64_t epoch = 0;
  std::uint64_t begin = 0;                   // offset of the newest record that retention removed
  std::uint64_t end = 0;                     // of the newest that was committed
  std::vector<log::RecordPtr> records = {};  // committed, also those that are removed by now

  // The index of the first record after `offset`.
  std::size_t index_after(std::uint64_t offset) const;
};

// How the store misbehaves, and how much it keeps.
struct StoreHabits {
  std::uint64_t records_max = 0;   // of history; 0: no limit
  std::uint64_t stride_max = 1;    // how far an offset may be from the one before
  std::uint64_t page_records = 0;  // pages end, at random, after so many records at most; 0: never
  std::uint64_t fails_one_in = 0;  // a transaction fails, once in so many; 0: never
  bool away = false;               // it does not answer, or says that it cannot
  bool full = false;
};

// The disk and its threads: a log that outlives nodes. Commits, reads, look-ups and their
// completions each happen in a step of their own, in any order that the log's contract allows. What
// is committed is kept as the contract says, or by the shipped log in memory.
//
// Threads: log::Log's calls come from the shards; all else from the simulation.
class Store final : public Thread {
 public:
  // Lifetime: the references outlive the store.
  Store(Schedule& schedule, Random& random);
  ~Store();

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // From the beginning on, lets the shipped log keep what is committed. Its offsets are without
  // gaps, so habits.stride_max has to be 1.
  void keep_in_shipped_log();

  std::unique_ptr<log::Log> log(base::Executor executor);

  bool step() override;

  // Removes up to `share` of what is kept, from the front.
  void remove(double share);

  // The transaction that is under way is lost.
  void crash();

  // The log is lost: a new epoch begins, with nothing in it.
  void replace();

  StoreHabits habits = {};

  const Chapter& chapter() const { return chapters_.back(); }
  const std::deque<Chapter>& chapters() const { return chapters_; }

  // Where the records with the publisher's id `id` stand, of all epochs, whether kept or not.
  std::vector<log::Position> find(const std::string& id) const;

  // Whether the record at `position` can be read.
  bool keeps(log::Position position) const;

 private:
  class Append;
  class Job;
  class Read;
  class Find;
  class Next;
  class ShardLog;
  class ShardTail;

  struct Transaction {
    std::vector<std::unique_ptr<Append>> appends;  // nullptr: its log was stopped meanwhile
    std::vector<log::RecordPtr> records;
  };

  bool begin_transaction();
  bool end_transaction();
  bool do_job();
  bool complete_one();

  void write(Append& append, std::uint64_t& end);
  void commit();
  void remove_to(std::uint64_t offset);
  log::RecordPtr keep(log::RecordPtr record);
  bool is_gone(log::Position after, const log::Selection& selection) const;
  boost::system::result<log::Page> read(log::Position after,
                                        const log::Selection& selection,
                                        log::ReadLimits limits);
  std::optional<log::Position> find_kept(const log::Event& event) const;
  void stop(log::Caller& caller);

  Schedule& schedule_;
  Random& random_;

  std::deque<Chapter> chapters_;
  std::unique_ptr<log::memory::History> shipped_;  // of the last chapter; nullptr: not used
  base::Clock::Wall stored_last_{};
  std::map<std::string, std::uint64_t> removed_;                      // last offset, by topic
  std::unordered_map<std::string, std::vector<log::RecordPtr>> ids_;  // of all epochs

  std::deque<std::unique_ptr<Append>> appends_;  // that wait for a transaction
  std::unique_ptr<Transaction> transaction_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<log::OperationPtr> done_;
};

}  // namespace vrelo::sim
