// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/index_list.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/varint.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A list in a database in memory.
class IndexListTest : public ::testing::Test {
 protected:
  IndexListTest() {
    connection_.execute("CREATE TABLE blocks(number INTEGER PRIMARY KEY, checksum, entries)")
        .value();
  }

  void write(const std::vector<IndexEntry>& entries) {
    IndexListWriter writer;
    for (const IndexEntry& entry : entries) {
      writer.add(entry);
    }
    writer.finish();
    blocks_ = writer.take_blocks();
    list_ = {.block_first = 7, .fences = writer.fences()};
    write_blocks(connection_, list_.block_first, blocks_).value();
  }

  std::vector<IndexEntry> read() {
    std::vector<IndexEntry> entries;
    IndexCursor cursor(list_);
    while (const std::optional<IndexEntry> entry = cursor.next(source()).value()) {
      entries.push_back(*entry);
    }
    return entries;
  }

  BlockSource& source() {
    if (!source_) {
      source_.emplace(BlockSource::open(connection_).value());
    }
    return *source_;
  }

  Connection connection_ =
      Connection::open(":memory:", {.access = base::sqlite::ConnectionOptions::Access::kCreate})
          .value();
  std::optional<BlockSource> source_;
  std::vector<std::string> blocks_;
  IndexList list_;
};

TEST_F(IndexListTest, writes_a_block_as_its_header_says) {
  write({{0x0102, 3}, {0x0102, 203}, {0xff00000000000000, 1}});
  EXPECT_THAT(blocks_, ElementsAre(std::string("\x02\x01\0\0\0\0\0\0\x03\xc8\x01\0"
                                               "\0\0\0\0\0\0\0\xff\x01\0",
                                               22)));
}

TEST_F(IndexListTest, gives_back_what_was_written) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  std::mt19937_64 random(5);
  std::set<IndexEntry> entries = {{0, 1}, {kMost, 1}, {kMost, kMost}};
  for (int i = 0; i < 3000; ++i) {
    entries.insert({.hash = random(), .value = random() >> (random() % 64) | 1});
  }
  const std::uint64_t busy = random();
  for (std::uint64_t value = 1; value <= 10'000; ++value) {
    entries.insert({.hash = busy, .value = value});
  }
  const std::vector<IndexEntry> sorted(entries.begin(), entries.end());
  write(sorted);
  EXPECT_EQ(read(), sorted);
  EXPECT_THAT(blocks_, SizeIs(::testing::Gt(10)));
  EXPECT_THAT(blocks_, Each(SizeIs(::testing::Le(kIndexBlockBytesMax))));
}

TEST_F(IndexListTest, gives_nothing_back_of_nothing) {
  write({});
  EXPECT_THAT(blocks_, IsEmpty());
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(IndexListTest, finds_the_values_of_a_hash_over_many_blocks) {
  std::vector<IndexEntry> entries = {{4, 9}};
  for (std::uint64_t value = 1; value <= 20'000; ++value) {
    entries.push_back({.hash = 5, .value = value});
  }
  entries.push_back({.hash = 6, .value = 2});
  write(entries);
  const auto find = [this](IndexEntry after, std::size_t max) {
    std::vector<std::uint64_t> values;
    const auto found = list_.find(source(), after, max, values).value();
    return std::pair(found, values);
  };
  using Found = IndexList::Found;
  using Values = std::vector<std::uint64_t>;
  EXPECT_EQ(find({5, 0}, 20'000).second.size(), 20'000U);
  EXPECT_EQ(find({5, 0}, 20'000).first, Found::kAll);
  EXPECT_EQ(find({5, 0}, 19'999).first, Found::kMore);
  EXPECT_EQ(find({5, 15'000}, 2), std::pair(Found::kMore, Values({15'001, 15'002})));
  EXPECT_EQ(find({5, 19'999}, 2), std::pair(Found::kAll, Values({20'000})));
  EXPECT_EQ(find({5, 20'000}, 2), std::pair(Found::kAll, Values()));
  EXPECT_EQ(find({4, 0}, 2), std::pair(Found::kAll, Values({9})));
  EXPECT_EQ(find({6, 1}, 2), std::pair(Found::kAll, Values({2})));
  EXPECT_EQ(find({3, 0}, 2), std::pair(Found::kAll, Values()));
  EXPECT_EQ(find({7, 0}, 2), std::pair(Found::kAll, Values()));
}

TEST_F(IndexListTest, takes_no_block_for_another) {
  write({{1, 1}});
  connection_.execute("UPDATE blocks SET number = 8").value();
  std::string bytes;
  EXPECT_EQ(source().read(8, bytes).error(), base::sqlite::Errc::kDamaged);
  EXPECT_FALSE(source().read(7, bytes).value());
}

TEST(IndexBlockReader, refuses_bytes_that_no_writer_makes) {
  struct Case {
    const char* about;
    std::string bytes;
  };
  const std::string hash(8, 'h');
  const std::string lower(8, 'g');
  const std::string end(1, '\0');
  const std::string most = [] {
    std::string bytes;
    put_varint(std::numeric_limits<std::uint64_t>::max(), bytes);
    return bytes;
  }();
  const std::vector<Case> cases = {
      {"a hash is cut", hash.substr(1)},
      {"a group has no value", hash + end},
      {"a group does not end", hash + "\x01"},
      {"a value is cut", hash + "\x81"},
      {"a value passes 64 bits", hash + most + "\x01" + end},
      {"a hash is twice", hash + "\x01" + end + hash + "\x02" + end},
      {"a hash is lower than the one before", hash + "\x01" + end + lower + "\x02" + end},
  };
  for (const Case& damaged : cases) {
    SCOPED_TRACE(damaged.about);
    IndexBlockReader reader(damaged.bytes);
    IndexEntry entry;
    IndexBlockReader::Next next = reader.next(entry);
    while (next == IndexBlockReader::Next::kEntry) {
      next = reader.next(entry);
    }
    EXPECT_EQ(next, IndexBlockReader::Next::kDamaged);
  }
}

TEST(IndexFences, are_given_back_as_they_were_written) {
  const std::vector<IndexEntry> fences = {{1, 2}, {1, 3}, {7, 1}};
  const std::string bytes = encode_fences(fences);
  EXPECT_EQ(decode_fences(bytes), fences);
  EXPECT_EQ(decode_fences(""), std::vector<IndexEntry>());
  EXPECT_EQ(decode_fences(std::string_view(bytes).substr(1)), std::nullopt);
  EXPECT_EQ(decode_fences(encode_fences({{1, 3}, {1, 2}})), std::nullopt);
}

}  // namespace
}  // namespace vrelo::log::sqlite
