// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/content_filter.h"

#include <array>
#include <bit>
#include <cstring>

namespace vrelo::log::sqlite {
namespace {

static_assert(std::endian::native == std::endian::little,
              "words are written as they lie in memory");

constexpr std::size_t kBitsPerHash = 16;

// Odd numbers, drawn at random, that each make another bit of a word out of a hash. They are part
// of what is written to disk.
constexpr std::array<std::uint32_t, 8> kSalt = {0xe7d80069, 0xb9096a05, 0xafae5a3b, 0xc963cfe1,
                                                0xc439f34b, 0xe1454c41, 0xe794ee15, 0x26b563b1};

std::uint32_t bit_of(std::uint64_t hash, std::size_t word) {
  const std::uint32_t product = static_cast<std::uint32_t>(hash) * kSalt[word];
  return std::uint32_t{1} << (product >> 27);
}

}  // namespace

ContentFilter::ContentFilter(std::size_t hashes)
    : words_((hashes * kBitsPerHash / (kWords * 32) + 1) * kWords) {}

std::size_t ContentFilter::block_of(std::uint64_t hash) const {
  const std::uint64_t blocks = words_.size() / kWords;
  return static_cast<std::size_t>(((hash >> 32) * blocks) >> 32) * kWords;
}

void ContentFilter::add(std::uint64_t hash) {
  const std::size_t block = block_of(hash);
  for (std::size_t word = 0; word < kWords; ++word) {
    words_[block + word] |= bit_of(hash, word);
  }
}

bool ContentFilter::may_have(std::uint64_t hash) const {
  const std::size_t block = block_of(hash);
  bool all = true;
  for (std::size_t word = 0; word < kWords; ++word) {
    all &= (words_[block + word] & bit_of(hash, word)) != 0;
  }
  return all;
}

std::string_view ContentFilter::bytes() const {
  return {reinterpret_cast<const char*>(words_.data()), words_.size() * sizeof(words_[0])};
}

std::optional<ContentFilter> ContentFilter::from(std::string_view bytes) {
  constexpr std::size_t kBlockBytes = kWords * sizeof(std::uint32_t);
  if (bytes.empty() || bytes.size() % kBlockBytes != 0) {
    return std::nullopt;
  }
  ContentFilter filter;
  filter.words_.resize(bytes.size() / sizeof(std::uint32_t));
  std::memcpy(filter.words_.data(), bytes.data(), bytes.size());
  return filter;
}

}  // namespace vrelo::log::sqlite
