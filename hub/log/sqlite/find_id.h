// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hub/log/log.h"
#include "hub/log/operation.h"
#include "hub/log/sqlite/reader_pool.h"
#include "hub/log/sqlite/sources.h"

namespace vrelo::log::sqlite {

class FindOperation final : public OperationOf<std::optional<Position>> {
 public:
  explicit FindOperation(std::shared_ptr<Caller> caller) : OperationOf(std::move(caller)) {}
};

// Finds the oldest record with an id: Log::find().
class FindId final : public ReadWork {
 public:
  FindId(std::unique_ptr<FindOperation> operation, const Sources& sources, std::string id);

  base::sqlite::Result<Step> step(ReadFile& file) override;
  void fail() override { operation_->result = Errc::kUnavailable; }
  OperationPtr finish() override { return std::move(operation_); }

 private:
  enum class Part { kFound, kNotThere };

  template <typename Find>
  base::sqlite::Result<Part> look(ReadFile& file, const View& view, std::uint64_t last, Find find);

  std::unique_ptr<FindOperation> operation_;
  const Sources& sources_;
  const std::string id_;
  const std::uint64_t hash_;
  std::uint64_t cursor_ = 0;  // looked for up to here
};

}  // namespace vrelo::log::sqlite
