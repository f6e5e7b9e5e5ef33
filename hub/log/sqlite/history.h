// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/log/log.h"
#include "hub/log/siphash.h"
#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/reader_pool.h"
#include "hub/log/sqlite/writer.h"

namespace vrelo::log::sqlite {

// What reading needs besides the file. Lifetime: everything outlives the work that refers to it.
struct Sources {
  const Catalog& catalog;
  Counters& counters;
  HashKey hash_key;
  std::size_t page_bytes_max;
};

class ReadOperation final : public OperationOf<Page> {
 public:
  explicit ReadOperation(std::shared_ptr<Caller> caller) : OperationOf(std::move(caller)) {}
};

class FindOperation final : public OperationOf<std::optional<Position>> {
 public:
  explicit FindOperation(std::shared_ptr<Caller> caller) : OperationOf(std::move(caller)) {}
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

  Step answer(boost::system::result<Page> result);
  enum class Gone { kNo, kYes };
  Result<Gone> is_gone(ReadFile& file, const View& view);
  Result<Step> read_all(ReadFile& file, const View& view);
  Result<Step> read_topics(ReadFile& file, const View& view);
  std::uint64_t collect(const View& view, const Chunk& chunk, std::vector<std::uint64_t>& offsets);
  bool is_full(const RecordPtr& next) const;
  void take(RecordPtr record);
  bool wants(const Event& event) const;

  std::unique_ptr<ReadOperation> operation_;
  const Sources& sources_;
  const Position after_;
  const Selection selection_;
  const ReadLimits limits_;

  std::vector<std::uint64_t> topics_;  // hashes of the selection's
  std::uint64_t cursor_;               // read up to here
  Page page_;
  std::size_t bytes_ = 0;  // of data in the page
};

// Finds the oldest record with an id: Log::find().
class FindId final : public ReadWork {
 public:
  FindId(std::unique_ptr<FindOperation> operation, const Sources& sources, std::string id);

  base::sqlite::Result<Step> step(ReadFile& file) override;
  void fail() override { operation_->result = Errc::kUnavailable; }
  OperationPtr finish() override { return std::move(operation_); }

 private:
  std::unique_ptr<FindOperation> operation_;
  const Sources& sources_;
  const std::string id_;
};

}  // namespace vrelo::log::sqlite
