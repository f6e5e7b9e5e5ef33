// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/ticket.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hub/auth/ticket_testing.h"
#include "hub/auth/token_testing.h"

namespace vrelo::auth {
namespace {

TEST(Ticket, is_a_prefix_and_43_characters) {
  const std::string text = ticket_text(test_digest(0xFF));
  EXPECT_EQ(text, "vt___________________________________________8");
  EXPECT_EQ(text.size(), kTicketBytes);
  EXPECT_EQ(ticket_hash(text), sha256(text));
}

TEST(Ticket, has_one_form) {
  const std::string good = ticket_text(test_digest(1));
  for (const std::string& text :
       {std::string(), std::string("vt_"), good.substr(1), good + "A", "VT_" + good.substr(3),
        good.substr(0, 45) + "=", good.substr(0, 45) + "F", std::string(kTicketBytes, 'x')}) {
    EXPECT_EQ(ticket_hash(text), std::nullopt) << text;
  }
}

TEST(Ticket, is_named_by_a_part_of_its_hash) {
  EXPECT_EQ(ticket_name(test_digest(0x0A)), "0a0a0a0a");
}

TEST(TicketTerms, come_back_from_their_json) {
  TicketTerms terms = *test_terms();
  terms.kid = "k\n1";
  terms.claims.issued_at = NumericDate(1.5);
  terms.claims.expires = NumericDate(1e9);
  terms.claims.details = {
      {.allows_subscribe = true,
       .topics = {{.kind = TopicMatcher::Kind::kAll, .text = ""},
                  {.kind = TopicMatcher::Kind::kExact, .text = std::string("a\0b", 3)},
                  {.kind = TopicMatcher::Kind::kUrlPattern, .text = "https://a/*"},
                  {.kind = TopicMatcher::Kind::kUriTemplate, .text = "{a}"}},
       .payload = R"({"a":1})"},
      {.allows_subscribe = true, .topics = {}}};
  TicketTerms read{.query = terms.query,
                   .session = terms.session,
                   .label = terms.label,
                   .issuer = {},
                   .claims = {},
                   .epoch = terms.epoch};
  ASSERT_TRUE(read_terms_json(terms_json(terms), read));
  EXPECT_EQ(read, terms);
}

TEST(TicketTerms, are_not_read_from_anything_else) {
  TicketTerms terms = *test_terms();
  for (const char* const text :
       {"", "{}", "[]", R"({"form":2,"details":[]})", R"({"form":0,"details":[1]})",
        R"({"form":0,"details":[{"topics":[[9,"a"]]}]})",
        R"({"form":0,"details":[{"topics":[[0]]}]})"}) {
    EXPECT_FALSE(read_terms_json(text, terms)) << text;
  }
}

TEST(TicketTerms, keep_of_a_token_what_a_reader_may) {
  const Claims claims{
      .subject = "eva",
      .client_id = "app",
      .audience = {"hub"},
      .details = {{.allows_publish = true, .topics = {{.text = "a"}}},
                  {.allows_publish = true, .allows_subscribe = true, .topics = {{.text = "b"}}}}};
  const Claims reader{.subject = "eva",
                      .details = {{.allows_subscribe = true, .topics = {{.text = "b"}}}}};
  EXPECT_EQ(reader_claims(claims), reader);
}

constexpr NumericDate kNow{1000};

TEST(TicketTerms, lead_back_to_the_token_while_it_is_trusted) {
  const testing::Issuers issuers;
  TicketTerms terms = *test_terms();
  terms.kid = "app";
  terms.key_print = issuers.app.verifying().print();
  terms.label = "tab";
  terms.minted_at = NumericDate(1000);
  TrustPolicy trust{.issuers = issuers.all()};
  const auto token = token_of(terms, trust, kNow);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->issuer_name, terms.issuer);
  EXPECT_EQ(token->kid, "app");
  EXPECT_EQ(token->claims, terms.claims);
  EXPECT_TRUE(*token->key == issuers.app.verifying());

  const auto revoked = [&](const Revocation& revocation) {
    trust.revocations = std::make_shared<const Revocations>(std::vector<Revocation>{revocation},
                                                            base::Clock::Steady());
    return !token_of(terms, trust, kNow);
  };
  using Kind = Revocation::Kind;
  EXPECT_TRUE(revoked({terms.issuer, Kind::kToken, "t1", NumericDate(1000)}));
  EXPECT_TRUE(revoked({terms.issuer, Kind::kSubject, "eva", NumericDate(1000)}));
  EXPECT_TRUE(revoked({terms.issuer, Kind::kKey, "app", NumericDate(1000)}));
  EXPECT_TRUE(revoked({terms.issuer, Kind::kLabel, "tab", NumericDate(1000)}));
  EXPECT_FALSE(revoked({terms.issuer, Kind::kLabel, "tab", NumericDate(999)}));
  EXPECT_FALSE(revoked({terms.issuer, Kind::kLabel, "other", NumericDate(1000)}));
  EXPECT_FALSE(revoked({"https://other.example", Kind::kLabel, "tab", NumericDate(1000)}));
}

TEST(TicketTerms, say_where_their_key_may_be) {
  const testing::Issuers issuers;
  TicketTerms terms = *test_terms();
  terms.kid = "app";
  terms.key_print = issuers.app.verifying().print();
  TrustPolicy trust{.issuers = issuers.all()};
  auto source = std::make_shared<const KeySource>();
  trust.issuers[0].key_source = source;
  EXPECT_TRUE(keys_wanted(terms, trust).sources.empty()) << "it is known";
  EXPECT_FALSE(lacks_key(terms, trust));
  trust.issuers[0].keys.clear();
  const KeysWanted wanted = keys_wanted(terms, trust);
  EXPECT_EQ(wanted.kid, "app");
  EXPECT_EQ(wanted.sources, std::vector<KeySourcePtr>{source});
  EXPECT_FALSE(lacks_key(terms, trust)) << "the set that is known does not have it";
  trust.issuers[0].lacks_keys = true;
  EXPECT_TRUE(lacks_key(terms, trust));
  terms.issuer = "https://other.example";
  EXPECT_TRUE(keys_wanted(terms, trust).sources.empty());
  EXPECT_FALSE(lacks_key(terms, trust));
}

TEST(TicketTerms, lead_to_nothing_without_their_key) {
  const testing::Issuers issuers;
  TicketTerms terms = *test_terms();
  terms.key_print = issuers.app.verifying().print();
  TrustPolicy trust{.issuers = issuers.all()};
  terms.issuer = "https://other.example";
  EXPECT_FALSE(token_of(terms, trust, kNow)) << "another issuer has the key";
  terms.issuer = "https://app.example";
  EXPECT_TRUE(token_of(terms, trust, kNow));
  trust.issuers[0].keys.erase(trust.issuers[0].keys.begin());
  EXPECT_FALSE(token_of(terms, trust, kNow)) << "it was removed";
  trust = {.issuers = issuers.all()};
  trust.issuers[0].roles = {Role::kPublish};
  EXPECT_FALSE(token_of(terms, trust, kNow)) << "it is for publishers now";
}

}  // namespace
}  // namespace vrelo::auth
