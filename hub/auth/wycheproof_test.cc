// SPDX-License-Identifier: Apache-2.0
//
// The public test vectors of C2SP Wycheproof (testvectors_v1), which are not part of this
// repository: VRELO_TEST_DATA names the folder that has them in wycheproof/. Without it these tests
// are skipped, but not in CI.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <boost/algorithm/string/replace.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

#include "hub/auth/json.h"
#include "hub/auth/jws.h"
#include "hub/auth/key_set.h"

namespace vrelo::auth {
namespace {

namespace json = boost::json;

// Vectors that do not behave as marked, each for a reason.
struct Exception {
  std::int64_t id;
  const char* why;

  // What makes it behave as marked: this text of the key in place of that one. nullptr: nothing.
  const char* key_has = nullptr;
  const char* key_needs = nullptr;
};

constexpr Exception kRefused[] = {
    {346, "a token of PS384 with a key for PS256; 338 and 340 are refused for the same", "PS256",
     "PS384"},
    {347, "the key's alg is ES521, which is none", "ES521", "ES512"},
    {350, "as 346", "PS256", "PS384"},
    {351, "as 347", "ES521", "ES512"},
    {372, "the header has a character outside base64url"},
    {373, "the payload has a character outside base64url"},
};

// They are, byte for byte, the vector 357, which is valid.
constexpr std::int64_t kSameAs357[] = {367, 370};
constexpr std::int64_t kTwin = 357;

// A key or a set of keys is an object in some groups, and a text in others.
std::string key_text(const json::object& group) {
  const json::value* const key =
      group.contains("public") ? group.if_contains("public") : group.if_contains("private");
  return key->is_string() ? text_of(key->get_string()) : json::serialize(*key);
}

bool accepts(std::string_view keys, std::string_view token) {
  const auto set = parse_key_set(keys);
  const auto jws = parse_jws(token);
  return set && jws && verified_payload(*jws, set->keys);
}

const Exception* find_refused(std::int64_t id) {
  const auto* const found = std::ranges::find(kRefused, id, &Exception::id);
  return found == std::end(kRefused) ? nullptr : found;
}

struct Vector {
  std::int64_t id;
  std::string what;
  std::string keys;
  std::string token;
  bool marked_valid;
};

class Wycheproof : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const folder = std::getenv("VRELO_TEST_DATA");
    if (folder == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "VRELO_TEST_DATA is not set";
      GTEST_SKIP() << "VRELO_TEST_DATA is not set";
    }
    folder_ = std::string(folder) + "/wycheproof/";
  }

  // Returns all vectors of a file.
  std::vector<Vector> read(const char* name) const {
    std::ifstream file(folder_ + name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    boost::system::error_code error;
    const json::value root = json::parse(text, error);
    std::vector<Vector> vectors;
    if (error) {
      ADD_FAILURE() << folder_ + name << ": " << error.message();
      return vectors;
    }
    for (const json::value& group : root.at("testGroups").as_array()) {
      for (const json::value& vector : group.at("tests").as_array()) {
        vectors.push_back({.id = vector.at("tcId").as_int64(),
                           .what = text_of(vector.at("comment").as_string()),
                           .keys = key_text(group.as_object()),
                           .token = text_of(vector.at("jws").as_string()),
                           .marked_valid = vector.at("result").as_string() == "valid"});
      }
    }
    return vectors;
  }

 private:
  std::string folder_;
};

TEST_F(Wycheproof, signatures_are_taken_as_marked) {
  const auto vectors = read("json_web_signature_test.json");
  ASSERT_EQ(vectors.size(), 401U);
  for (const Vector& vector : vectors) {
    const bool expected = std::ranges::find(kSameAs357, vector.id) != std::end(kSameAs357) ||
                          (vector.marked_valid && find_refused(vector.id) == nullptr);
    EXPECT_EQ(accepts(vector.keys, vector.token), expected) << vector.id << ": " << vector.what;
  }
}

TEST_F(Wycheproof, exceptions_have_the_reason_that_is_given) {
  const auto vectors = read("json_web_signature_test.json");
  ASSERT_EQ(vectors.size(), 401U);
  const auto find = [&vectors](std::int64_t id) -> const Vector& {
    return *std::ranges::find(vectors, id, &Vector::id);
  };
  for (const Exception& exception : kRefused) {
    SCOPED_TRACE(exception.id);
    const Vector& vector = find(exception.id);
    EXPECT_TRUE(vector.marked_valid);
    if (exception.key_has == nullptr) {
      EXPECT_NE(vector.token.find('?'), std::string::npos);
    } else {
      const std::string keys =
          boost::algorithm::replace_first_copy(vector.keys, exception.key_has, exception.key_needs);
      EXPECT_TRUE(accepts(keys, vector.token));
    }
  }
  for (const std::int64_t id : kSameAs357) {
    EXPECT_EQ(find(id).token, find(kTwin).token);
    EXPECT_EQ(find(id).keys, find(kTwin).keys);
    EXPECT_TRUE(find(kTwin).marked_valid);
  }
}

TEST_F(Wycheproof, keys_are_taken_as_marked) {
  const auto vectors = read("json_web_key_test.json");
  ASSERT_EQ(vectors.size(), 26U);
  for (const Vector& vector : vectors) {
    EXPECT_EQ(accepts(vector.keys, vector.token), vector.marked_valid)
        << vector.id << ": " << vector.what;
  }
}

}  // namespace
}  // namespace vrelo::auth
