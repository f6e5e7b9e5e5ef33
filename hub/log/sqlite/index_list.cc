// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/index_list.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "hub/log/siphash.h"
#include "hub/log/sqlite/varint.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Result;

static_assert(std::endian::native == std::endian::little,
              "words are written as they lie in memory");

void put_word(std::uint64_t word, std::string& out) {
  char bytes[sizeof(word)];
  std::memcpy(bytes, &word, sizeof(word));
  out.append(bytes, sizeof(bytes));
}

std::uint64_t take_word(std::string_view& bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof(word));
  bytes.remove_prefix(sizeof(word));
  return word;
}

}  // namespace

void IndexListWriter::add(IndexEntry entry) {
  assert(entry.value > 0);
  constexpr std::size_t kEndBytes = 1;
  if (!block_.empty()) {
    assert(last_ < entry);
    const bool same = entry.hash == last_.hash;
    const std::size_t bytes = same ? varint_bytes(entry.value - last_.value)
                                   : kEndBytes + sizeof(entry.hash) + varint_bytes(entry.value);
    if (block_.size() + bytes + kEndBytes > kIndexBlockBytesMax) {
      finish();
    } else if (same) {
      put_varint(entry.value - last_.value, block_);
    } else {
      block_ += '\0';
      put_word(entry.hash, block_);
      put_varint(entry.value, block_);
    }
  }
  if (block_.empty()) {
    block_.reserve(kIndexBlockBytesMax);
    fences_.push_back(entry);
    put_word(entry.hash, block_);
    put_varint(entry.value, block_);
  }
  last_ = entry;
}

void IndexListWriter::finish() {
  if (!block_.empty()) {
    block_ += '\0';
    filled_.push_back(std::exchange(block_, {}));
  }
}

std::vector<std::string> IndexListWriter::take_blocks() {
  return std::exchange(filled_, {});
}

IndexBlockReader::Next IndexBlockReader::next(IndexEntry& entry) {
  if (!in_group_) {
    if (const Next begun = begin_group(); begun != Next::kEntry) {
      return begun;
    }
  }
  const auto above = take_varint(rest_);
  if (!above || *above == 0 || last_.value + *above < last_.value) {
    return Next::kDamaged;
  }
  last_.value += *above;
  entry = last_;
  if (rest_.empty()) {
    return Next::kDamaged;
  }
  if (rest_.front() == '\0') {
    rest_.remove_prefix(1);
    in_group_ = false;
  }
  return Next::kEntry;
}

IndexBlockReader::Next IndexBlockReader::begin_group() {
  if (rest_.empty()) {
    return Next::kEnd;
  }
  if (rest_.size() < sizeof(last_.hash)) {
    return Next::kDamaged;
  }
  const std::uint64_t hash = take_word(rest_);
  if (last_.value != 0 && hash <= last_.hash) {
    return Next::kDamaged;
  }
  last_ = {.hash = hash, .value = 0};
  in_group_ = true;
  return Next::kEntry;
}

std::uint64_t index_checksum(std::uint64_t number, std::string_view bytes) {
  return siphash(HashKey{number, 0}, bytes);
}

Result<BlockSource> BlockSource::open(base::sqlite::Connection& connection) {
  auto select = connection.prepare("SELECT checksum, entries FROM blocks WHERE number=?");
  if (!select) {
    return select.error();
  }
  return BlockSource(std::move(*select));
}

Result<bool> BlockSource::read(std::uint64_t number, std::string& bytes) {
  const base::sqlite::Reset reset(select_);
  const auto row = select_.bind_bits(1, number).step();
  if (!row || !*row) {
    return row;
  }
  bytes = select_.bytes(1);
  if (select_.bits(0) != index_checksum(number, bytes)) {
    return base::sqlite::Errc::kDamaged;
  }
  return true;
}

Result<void> write_blocks(base::sqlite::Connection& connection,
                          std::uint64_t first,
                          std::span<const std::string> blocks) {
  auto insert = connection.prepare("INSERT INTO blocks VALUES(?, ?, ?)");
  if (!insert) {
    return insert.error();
  }
  for (const std::string& block : blocks) {
    insert->bind_bits(1, first).bind_bits(2, index_checksum(first, block)).bind_blob(3, block);
    if (auto done = insert->run(); !done) {
      return done;
    }
    ++first;
  }
  return {};
}

Result<IndexList::Found> IndexList::find(BlockSource& source,
                                         IndexEntry after,
                                         std::size_t max,
                                         std::vector<std::uint64_t>& values) const {
  // The block that begins at or before what is looked for, if there is one, may have some of it.
  const auto above = std::upper_bound(fences.begin(), fences.end(), after);
  auto block = static_cast<std::size_t>(above - fences.begin());
  block -= block > 0 ? 1 : 0;
  std::string bytes;
  for (; block < fences.size() && fences[block].hash <= after.hash; ++block) {
    const auto there = source.read(block_first + block, bytes);
    if (!there) {
      return there.error();
    }
    if (!*there) {
      return Found::kNoBlock;
    }
    IndexBlockReader reader(bytes);
    IndexEntry entry;
    IndexBlockReader::Next next = reader.next(entry);
    for (; next == IndexBlockReader::Next::kEntry; next = reader.next(entry)) {
      if (entry.hash > after.hash) {
        return Found::kAll;
      }
      if (entry > after) {
        if (max == 0) {
          return Found::kMore;
        }
        --max;
        values.push_back(entry.value);
      }
    }
    if (next == IndexBlockReader::Next::kDamaged) {
      return base::sqlite::Errc::kDamaged;
    }
  }
  return Found::kAll;
}

std::string encode_fences(const std::vector<IndexEntry>& fences) {
  std::string bytes;
  bytes.reserve(fences.size() * sizeof(IndexEntry));
  for (const IndexEntry& fence : fences) {
    put_word(fence.hash, bytes);
    put_word(fence.value, bytes);
  }
  return bytes;
}

std::optional<std::vector<IndexEntry>> decode_fences(std::string_view bytes) {
  if (bytes.size() % sizeof(IndexEntry) != 0) {
    return std::nullopt;
  }
  std::vector<IndexEntry> fences;
  fences.reserve(bytes.size() / sizeof(IndexEntry));
  while (!bytes.empty()) {
    const std::uint64_t hash = take_word(bytes);
    const IndexEntry fence{.hash = hash, .value = take_word(bytes)};
    if (fence.value == 0 || (!fences.empty() && fence <= fences.back())) {
      return std::nullopt;
    }
    fences.push_back(fence);
  }
  return fences;
}

Result<std::optional<IndexEntry>> IndexCursor::next(BlockSource& source) {
  IndexEntry entry;
  while (true) {
    const IndexBlockReader::Next next = reader_.next(entry);
    if (next == IndexBlockReader::Next::kEntry) {
      return std::optional(entry);
    }
    if (next == IndexBlockReader::Next::kDamaged) {
      return base::sqlite::Errc::kDamaged;
    }
    if (blocks_read_ == list_.fences.size()) {
      return std::optional<IndexEntry>();
    }
    const auto there = source.read(list_.block_first + blocks_read_, block_);
    if (!there) {
      return there.error();
    }
    if (!*there) {
      return base::sqlite::Errc::kDamaged;
    }
    ++blocks_read_;
    reader_ = IndexBlockReader(block_);
  }
}

}  // namespace vrelo::log::sqlite
