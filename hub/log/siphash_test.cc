// SPDX-License-Identifier: Apache-2.0
#include "hub/log/siphash.h"

#include <string>

#include <gtest/gtest.h>

namespace vrelo::log {
namespace {

// Key and texts of the paper's test vectors: the key is the bytes 0 to 15, text n the bytes 0 to n
// - 1.
TEST(Siphash, agrees_with_the_vectors_of_its_authors) {
  const HashKey key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string text;
  EXPECT_EQ(siphash(key, text), 0x726fdb47dd0e0e31);
  text += '\0';
  EXPECT_EQ(siphash(key, text), 0x74f839c593dc67fd);
  for (char c = 1; c < 8; ++c) {
    text += c;
  }
  EXPECT_EQ(siphash(key, text), 0x93f5f5799a932462);
  for (char c = 8; c < 15; ++c) {
    text += c;
  }
  EXPECT_EQ(siphash(key, text), 0xa129ca6149be45e5);
}

}  // namespace
}  // namespace vrelo::log
