// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hub/log/event_filter.h"
#include "hub/log/log.h"
#include "hub/log/operation.h"
#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/reader_pool.h"
#include "hub/log/sqlite/sources.h"

namespace vrelo::log::sqlite {

class ReadOperation final : public OperationOf<Page> {
 public:
  explicit ReadOperation(std::shared_ptr<Caller> caller) : OperationOf(std::move(caller)) {}
};

// Reads one page: Log::read().
class ReadPage final : public ReadWork {
 public:
  ReadPage(std::unique_ptr<ReadOperation> operation,
           const Sources& sources,
           Position after,
           const Selection& selection,
           ReadLimits limits);

  base::sqlite::Result<Step> step(ReadFile& file) override;
  void fail() override { operation_->result = Errc::kUnavailable; }
  OperationPtr finish() override { return std::move(operation_); }

 private:
  template <typename T>
  using Result = base::sqlite::Result<T>;

  // What has become of a part of the work.
  enum class Part {
    kDone,   // and there may be more
    kFull,   // the page is
    kAgain,  // the file has changed under it: from the beginning of the step
  };

  Step answer(boost::system::result<Page> result);
  Result<Step> proceed(ReadFile& file, const View& view);
  enum class Gone { kNo, kYes, kAgain };
  Result<Gone> is_gone(ReadFile& file, const View& view);
  Result<Gone> is_gone(ReadFile& file, const View& view, std::uint64_t topic);
  Result<Part> read_in_order(ReadFile& file, const View& view);
  Result<Part> read_topics(ReadFile& file, const View& view);
  template <typename Find>
  Result<Part> read_stretch(ReadFile& file, std::uint64_t epoch, std::uint64_t last, Find find);
  template <typename Find>
  Result<Part> collect(Find find, std::vector<std::uint64_t>& offsets, std::uint64_t& covered);
  bool has_room() const;
  bool has_room_for(const Record& next) const;
  void take(RecordPtr record);
  Part pass_over(const Record& record);
  bool has_index() const { return !selection_.all && selection_.patterns.empty(); }

  std::unique_ptr<ReadOperation> operation_;
  const Sources& sources_;
  const Position after_;
  const Selection selection_;
  const ReadLimits limits_;
  EventFilter filter_;

  std::vector<std::uint64_t> topics_;  // hashes of the selection's
  std::uint64_t cursor_;               // read up to here
  Page page_;
  std::size_t bytes_ = 0;      // of the page's events
  std::size_t looked_at_ = 0;  // index blocks, in this step

  // Of records that were read and left out.
  std::size_t passed_over_ = 0;
  std::size_t passed_over_bytes_ = 0;  // in this step
};

}  // namespace vrelo::log::sqlite
