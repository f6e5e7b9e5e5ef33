// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hub/base/sqlite/connection.h"
#include "hub/log/log.h"
#include "hub/log/siphash.h"
#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/index_run.h"
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

// Index blocks that a step looks at before others have their turn: about a millisecond.
inline constexpr std::size_t kBlocksAtOnce = 256;

// Makes the record of a row of (offset, stored_at, event). Errors: kDamaged.
base::sqlite::Result<RecordPtr> record_of(const base::sqlite::Statement& row, std::uint64_t epoch);

// Returns the record at `offset`, which a view has; nullptr if retention has removed it since the
// view was taken. Errors: kDamaged if it is missing for no reason, and those of the file.
base::sqlite::Result<RecordPtr> record_at(ReadFile& file,
                                          std::uint64_t offset,
                                          std::uint64_t epoch);

// IndexRun::find() over a run of a view. Errors: kDamaged too if a block is missing while the run
// is still there.
class RunFind {
 public:
  RunFind(ReadFile& file, const IndexRun& run, Key key) : file_(file), run_(run), key_(key) {}

  base::sqlite::Result<IndexList::Found> operator()(std::uint64_t hash,
                                                    std::uint64_t after,
                                                    std::size_t max,
                                                    std::vector<std::uint64_t>& offsets);

 private:
  ReadFile& file_;
  const IndexRun& run_;
  const Key key_;
};

// The same over a chunk.
class ChunkFind {
 public:
  ChunkFind(const Catalog& catalog, const View& view, const Chunk& chunk, Key key)
      : catalog_(catalog), view_(view), chunk_(chunk), key_(key) {}

  base::sqlite::Result<IndexList::Found> operator()(std::uint64_t hash,
                                                    std::uint64_t after,
                                                    std::size_t max,
                                                    std::vector<std::uint64_t>& offsets);

 private:
  const Catalog& catalog_;
  const View& view_;
  const Chunk& chunk_;
  const Key key_;
};

// Returns up to where a chunk of the view is read: the last one may have grown since.
std::uint64_t last_of(const View& view, const Chunk& chunk);

}  // namespace vrelo::log::sqlite
