// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/base/sqlite/connection.h"

namespace vrelo::log::sqlite {

// A line of an index in the file: a hash, and what it leads to.
struct IndexEntry {
  std::uint64_t hash = 0;
  std::uint64_t value = 0;  // never 0

  friend auto operator<=>(const IndexEntry&, const IndexEntry&) = default;
};

// The most bytes of a block. With its checksum and its row a block fills one page of the file, so
// that to look something up costs one page.
inline constexpr std::size_t kIndexBlockBytesMax = 4000;

// Returns the checksum of a part of the index, which is kept with it: SQLite has none, and what a
// disk has changed in an index would be records that are not found. `number` is the part's own, so
// that one part does not pass for another.
std::uint64_t index_checksum(std::uint64_t number, std::string_view bytes);

// Cuts a sorted list of entries into blocks.
//
// A block is groups of entries with one hash: the hash (8 bytes, the lowest first), then for each
// value what it is above the one before it, as a varint, then a byte 0. A group that does not fit
// is continued in the next block, with its hash again.
class IndexListWriter {
 public:
  // Order: entries ascend, none twice.
  void add(IndexEntry entry);

  // Ends the block that is being filled.
  void finish();

  // Gives the blocks that have been filled since the last call.
  std::vector<std::string> take_blocks();

  // The first entry of each block.
  const std::vector<IndexEntry>& fences() const { return fences_; }

 private:
  std::string block_;  // "": none is being filled
  IndexEntry last_;
  std::vector<std::string> filled_;
  std::vector<IndexEntry> fences_;
};

// Reads the entries of a block, which may be damaged, in order. Lifetime: of the bytes.
class IndexBlockReader {
 public:
  explicit IndexBlockReader(std::string_view bytes) : rest_(bytes) {}

  enum class Next { kEntry, kEnd, kDamaged };
  Next next(IndexEntry& entry);

 private:
  Next begin_group();

  std::string_view rest_;
  IndexEntry last_;  // value 0: before the first group
  bool in_group_ = false;
};

// Gets blocks from the file. Lifetime, Threads: those of the connection.
class BlockSource {
 public:
  static base::sqlite::Result<BlockSource> open(base::sqlite::Connection& connection);

  // Returns whether there is such a block; its bytes replace `bytes`.
  //
  // Errors: kDamaged, and those of the file.
  base::sqlite::Result<bool> read(std::uint64_t number, std::string& bytes);

 private:
  explicit BlockSource(base::sqlite::Statement select) : select_(std::move(select)) {}

  base::sqlite::Statement select_;
};

// Adds blocks to the file, numbered from `first` on.
base::sqlite::Result<void> write_blocks(base::sqlite::Connection& connection,
                                        std::uint64_t first,
                                        std::span<const std::string> blocks);

// A sorted list of entries in the file. Its blocks have consecutive numbers.
struct IndexList {
  std::uint64_t block_first = 0;
  std::vector<IndexEntry> fences = {};

  std::uint64_t block_end() const { return block_first + fences.size(); }

  enum class Found {
    kAll,
    kMore,     // there are more than `max`
    kNoBlock,  // the list is no longer in the file
  };

  // Appends to `values` those of `after.hash` that are above `after.value`, in order and at most
  // `max`.
  //
  // Cost: reads one block, and one more for each some thousands of values.
  // Errors: kDamaged, and those of the file.
  base::sqlite::Result<Found> find(BlockSource& source,
                                   IndexEntry after,
                                   std::size_t max,
                                   std::vector<std::uint64_t>& values) const;
};

// How fences are written.
std::string encode_fences(const std::vector<IndexEntry>& fences);
std::optional<std::vector<IndexEntry>> decode_fences(std::string_view bytes);

// Goes through a whole list. Lifetime: the list outlives it.
class IndexCursor {
 public:
  explicit IndexCursor(const IndexList& list) : list_(list) {}
  IndexCursor(const IndexCursor&) = delete;
  IndexCursor& operator=(const IndexCursor&) = delete;

  // Returns the next entry; nullopt at the end. Errors: kDamaged, also if a block is missing.
  base::sqlite::Result<std::optional<IndexEntry>> next(BlockSource& source);

 private:
  const IndexList& list_;
  std::size_t blocks_read_ = 0;
  std::string block_;
  IndexBlockReader reader_{""};
};

}  // namespace vrelo::log::sqlite
