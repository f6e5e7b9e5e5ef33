// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/proof.h"

#include <string>

#include <gtest/gtest.h>

#include "hub/auth/ticket_testing.h"

namespace vrelo::auth {
namespace {

TEST(Proof, is_a_tilde_and_22_characters) {
  // HMAC-SHA-256 with a key of 32 bytes 01 over "s" and the three bytes of the turn.
  EXPECT_EQ(make_proof(test_digest(1), "s", 0x010203), "~AQIDG_lqYOFHdr1o62M-hg");
}

TEST(Proof, proves_its_turn_of_its_session_alone) {
  for (const std::uint32_t turn : {0U, 1U, 255U, 256U, kTurnMax}) {
    const std::string proof = make_proof(test_digest(1), "s", turn);
    EXPECT_EQ(proven_turn(proof, test_digest(1), "s"), turn);
    EXPECT_EQ(proven_turn(proof, test_digest(2), "s"), std::nullopt);
    EXPECT_EQ(proven_turn(proof, test_digest(1), "t"), std::nullopt);
  }
  std::string other_turn = make_proof(test_digest(1), "s", 1);
  other_turn[4] = other_turn[4] == 'B' ? 'C' : 'B';
  EXPECT_EQ(proven_turn(other_turn, test_digest(1), "s"), std::nullopt);
}

TEST(Proof, takes_nothing_else_for_one) {
  for (const char* const text : {"", "~", "~~~~~~~~~~~~~~~~~~~~~~~", "AQIDG_lqYOFHdr1o62M-hg"}) {
    EXPECT_EQ(proven_turn(text, test_digest(1), "s"), std::nullopt) << text;
  }
}

TEST(Proof, is_split_off_what_looks_like_one) {
  const std::string proof = make_proof(test_digest(1), "s", 7);
  const struct {
    std::string about;
    std::string text;
    SplitId split;
  } cases[] = {
      {"nothing", "", {.id = ""}},
      {"an id", "#abc.7", {.id = "#abc.7"}},
      {"with a proof", "#abc.7" + proof, {.id = "#abc.7", .proof = proof}},
      {"the proof alone", proof, {.id = "", .proof = proof}},
      {"one of two", "a" + proof + proof, {.id = std::string_view(), .proof = proof}},
      {"too short", "a~AQIDG_lqYOFHdr1o62M-h", {.id = "a~AQIDG_lqYOFHdr1o62M-h"}},
      {"other characters", "a~AQIDG_lqYOFHdr1o62M-h=", {.id = "a~AQIDG_lqYOFHdr1o62M-h="}},
      {"bits that mean nothing", "a~AQIDG_lqYOFHdr1o62M-hh", {.id = "a~AQIDG_lqYOFHdr1o62M-hh"}},
  };
  for (const auto& [about, text, split] : cases) {
    SCOPED_TRACE(about);
    const SplitId found = split_proof(text);
    EXPECT_EQ(found.proof, split.proof);
    EXPECT_EQ(found.id, text.substr(0, text.size() - split.proof.size()));
  }
}

}  // namespace
}  // namespace vrelo::auth
