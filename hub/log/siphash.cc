// SPDX-License-Identifier: Apache-2.0
#include "hub/log/siphash.h"

#include <bit>
#include <cstring>

namespace vrelo::log {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t siphash(const HashKey& key, std::string_view text) {
  State state{.v0 = key[0] ^ 0x736f6d6570736575,
              .v1 = key[1] ^ 0x646f72616e646f6d,
              .v2 = key[0] ^ 0x6c7967656e657261,
              .v3 = key[1] ^ 0x7465646279746573};
  const std::uint64_t size = text.size();
  std::uint64_t word = 0;
  while (text.size() >= sizeof(word)) {
    std::memcpy(&word, text.data(), sizeof(word));
    state.take(word);
    text.remove_prefix(sizeof(word));
  }
  word = 0;
  if (!text.empty()) {
    std::memcpy(&word, text.data(), text.size());
  }
  state.take(word | size << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) {
    state.round();
  }
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace vrelo::log
