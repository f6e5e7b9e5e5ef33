// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vrelo::log::sqlite {

// A set of hashes in memory that tells of almost each hash which is not in it that it is not. An
// append asks whether the log has its event already: of each run of the index, which would be a
// page each.
//
// Cost: 16 bits a hash, one cache line a question; about 1 answer in 500 is wrong.
// Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007; a block
// is 8 words of 32 bits, and a hash has one bit in each.
class ContentFilter {
 public:
  // A filter for `hashes` of them. It takes more, with more wrong answers.
  explicit ContentFilter(std::size_t hashes);

  void add(std::uint64_t hash);
  bool may_have(std::uint64_t hash) const;

  // How it is written to disk; nullopt for bytes that are not a filter's. Lifetime: a view of the
  // filter.
  std::string_view bytes() const;
  static std::optional<ContentFilter> from(std::string_view bytes);

 private:
  static constexpr std::size_t kWords = 8;  // of a block

  ContentFilter() = default;
  std::size_t block_of(std::uint64_t hash) const;

  std::vector<std::uint32_t> words_;  // kWords of each block
};

}  // namespace vrelo::log::sqlite
