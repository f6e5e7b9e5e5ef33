// SPDX-License-Identifier: Apache-2.0
#include "hub/base/secret_words.h"

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

constexpr const char* kToken = "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl";
constexpr const char* kTicket = "vt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

TEST(SecretWords, are_tokens_and_tickets) {
  for (const char* const word :
       {kToken, "eyJhbGciOiJub25lIn0.e30.", "eyAiYSI6MX0.eyJhIjoxfQ.a.b", kTicket}) {
    EXPECT_TRUE(looks_secret(word)) << word;
  }
}

TEST(SecretWords, are_no_names_of_files_or_hosts) {
  for (const char* const word :
       {"", "-", "eyJ", "token", "publisher.token", "vrelo.jwk", "eyewear.shop.example.com",
        "eyJhbGciOiJub25lIn0", "eyJ.tar.gz", "vt_short", "a.very.long.file.name.jwk",
        "eyJhbGciOiJub25lIn0.e30 c2lnbmF0dXJl."}) {
    EXPECT_FALSE(looks_secret(word)) << word;
  }
}

TEST(SecretWords, are_left_out_of_a_text_alone) {
  EXPECT_EQ(without_secrets(""), "");
  EXPECT_EQ(without_secrets("a.token: No such file"), "a.token: No such file");
  EXPECT_EQ(without_secrets(std::string(kToken)), "(a secret)");
  EXPECT_EQ(without_secrets(std::string("./") + kTicket + ": \"" + kToken + "\" --x=" + kToken),
            "./(a secret): \"(a secret)\" --x=(a secret)");
}

}  // namespace
}  // namespace vrelo::base
