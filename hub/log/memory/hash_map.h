// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

namespace vrelo::log::memory {

// A map from keyed hashes, which are as good as random and thus their own hash. It is many small
// maps, so that the insertion that makes a map grow moves a small part of the entries: a publisher
// waits for it.
//
// Lifetime: an entry stays where it is until the next insertion or removal.
template <typename T>
class HashMap {
 public:
  T& operator[](std::uint64_t hash) {
    Part& part = parts_[part_of(hash)];
    const std::size_t before = part.size();
    T& value = part[hash];
    size_ += part.size() - before;
    return value;
  }

  // Returns nullptr if there is none.
  T* find(std::uint64_t hash) {
    Part& part = parts_[part_of(hash)];
    const auto found = part.find(hash);
    return found == part.end() ? nullptr : &found->second;
  }
  const T* find(std::uint64_t hash) const {
    const Part& part = parts_[part_of(hash)];
    const auto found = part.find(hash);
    return found == part.end() ? nullptr : &found->second;
  }

  void erase(std::uint64_t hash) { size_ -= parts_[part_of(hash)].erase(hash); }

  std::size_t size() const { return size_; }

 private:
  struct Identity {
    using is_avalanching = void;
    std::size_t operator()(std::uint64_t hash) const { return hash; }
  };
  using Part = boost::unordered_flat_map<std::uint64_t, T, Identity>;

  // By bits from the middle: the maps use the ones at both ends.
  static constexpr std::size_t kParts = 256;
  static std::size_t part_of(std::uint64_t hash) { return (hash >> 16) % kParts; }

  std::array<Part, kParts> parts_;
  std::size_t size_ = 0;
};

}  // namespace vrelo::log::memory
