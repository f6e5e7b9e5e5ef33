// SPDX-License-Identifier: Apache-2.0
#include "hub/fetched_keys.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/key_set.h"
#include "hub/base/clock_testing.h"
#include "hub/net/alarm_testing.h"

namespace vrelo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

// A set with keys of these kids. The key is that of RFC 8037 A.2.
std::string set_of(const std::vector<std::string>& kids) {
  std::string keys;
  for (const std::string& kid : kids) {
    keys += fmt::format(R"({}{{"kty":"OKP","crv":"Ed25519","kid":"{}",)"
                        R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}})",
                        keys.empty() ? "" : ",", kid);
  }
  return fmt::format(R"({{"keys":[{}]}})", keys);
}

// Servers that answer when the test wants it.
class Servers {
 public:
  FetchedKeys::Fetch fetch() {
    return [this](net::HttpsRequest request, net::Fetched fetched) {
      ++begun;
      last = request;
      auto transfer = std::make_unique<Fake>(*this);
      open.push_back(
          {.host = request.url.host, .fetched = std::move(fetched), .by = transfer.get()});
      return transfer;
    };
  }

  // Ends the oldest fetch from `host`.
  void answer(std::string_view host, const base::Parsed<std::string>& document) {
    for (const Open& one : open) {
      if (one.host == host) {
        const net::Fetched fetched = one.fetched;
        fetched(document);
        return;
      }
    }
    ADD_FAILURE() << "no fetch from " << host;
  }
  void answer(std::string_view host, const std::vector<std::string>& kids) {
    answer(host, base::parsed(set_of(kids)));
  }
  void fail(std::string_view host) { answer(host, base::Fault{"it is gone"}); }

  int begun = 0;
  net::HttpsRequest last;

 private:
  class Fake;
  struct Open {
    std::string host;
    net::Fetched fetched;
    Fake* by;
  };

  class Fake final : public net::Transfer {
   public:
    explicit Fake(Servers& servers) : servers_(servers) {}
    ~Fake() override {
      std::erase_if(servers_.open, [this](const Open& one) { return one.by == this; });
    }

    Fake(const Fake&) = delete;
    Fake& operator=(const Fake&) = delete;

   private:
    Servers& servers_;
  };

 public:
  std::vector<Open> open;
};

class FetchedKeysTest : public testing::Test {
 protected:
  static auth::Issuer issuer(const std::string& host, std::string ca = "") {
    auto url = base::parse_https_url("https://" + host + "/jwks");
    return {.name = host,
            .key_source = std::make_shared<const auth::KeySource>(
                auth::KeySource{.url = *url, .ca = std::move(ca)})};
  }

  void follow(std::vector<auth::Issuer> issuers) {
    issuers_ = std::move(issuers);
    keys_.follow(issuers_);
  }

  // The kids that are known of an issuer.
  std::vector<std::string> kids(std::size_t place = 0) const {
    std::vector<auth::Issuer> issuers = issuers_;
    keys_.add_to(issuers);
    std::vector<std::string> kids;
    for (const auth::NamedKey& key : issuers[place].keys) {
      kids.push_back(key.kid.value_or("none"));
    }
    return kids;
  }

  // Whether no set of the issuer's is known.
  bool lacks_keys(std::size_t place = 0) const {
    std::vector<auth::Issuer> issuers = issuers_;
    keys_.add_to(issuers);
    return issuers[place].lacks_keys;
  }

  // Asks for a key of these issuers, and returns where the answer will be.
  std::shared_ptr<std::optional<bool>> want(const std::optional<std::string>& kid,
                                            const std::vector<std::size_t>& places = {0}) {
    auth::KeysWanted wanted{.kid = kid};
    for (const std::size_t place : places) {
      wanted.sources.push_back(issuers_[place].key_source);
    }
    auto answer = std::make_shared<std::optional<bool>>();
    keys_.want(wanted, [answer](bool may_be_known) {
      EXPECT_EQ(*answer, std::nullopt) << "told twice";
      *answer = may_be_known;
    });
    return answer;
  }

  void advance(std::chrono::nanoseconds by) {
    const auto until = clock_.steady() + by;
    while (alarms_.next() && *alarms_.next() <= until) {
      clock_.advance(std::max(*alarms_.next() - clock_.steady(), 0ns));
      alarms_.ring_due();
    }
    clock_.advance(until - clock_.steady());
  }

  base::ManualClock clock_;
  net::FakeAlarms alarms_{clock_};
  std::string log_;
  base::Logger logger_{clock_, base::LogLevel::kInfo,
                       [this](std::string_view line) { log_ += std::string(line) + "\n"; }};
  Servers servers_;
  int changes_ = 0;
  std::vector<auth::Issuer> issuers_;
  FetchedKeys keys_{{.clock = clock_,
                     .logger = logger_,
                     .make_alarm = alarms_.maker(),
                     .fetch = servers_.fetch(),
                     .on_change = [this] { ++changes_; }}};
};

TEST_F(FetchedKeysTest, are_fetched_at_once_and_every_ten_minutes) {
  follow({issuer("a", "its CA")});
  EXPECT_EQ(servers_.begun, 1);
  EXPECT_EQ(base::shown(servers_.last.url), "https://a/jwks");
  EXPECT_EQ(servers_.last.ca, "its CA");
  EXPECT_EQ(servers_.last.body_bytes_max, 256U << 10);
  EXPECT_EQ(keys_.figures().without, 1U);
  EXPECT_THAT(kids(), IsEmpty());

  servers_.answer("a", {"1", "2"});
  EXPECT_THAT(kids(), ElementsAre("1", "2"));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(keys_.figures().without, 0U);
  advance(10min - 1ms);
  EXPECT_EQ(servers_.begun, 1);
  advance(1ms);
  EXPECT_EQ(servers_.begun, 2);
  servers_.answer("a", {"1", "2"});
  EXPECT_EQ(changes_, 1) << "the keys are the same";

  advance(10min);
  servers_.answer("a", {"2"});
  EXPECT_THAT(kids(), ElementsAre("2"));
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(keys_.figures().fetched, 3U);
  EXPECT_EQ(keys_.figures().failed, 0U);
}

TEST_F(FetchedKeysTest, stay_when_a_fetch_fails) {
  follow({issuer("a")});
  servers_.answer("a", {"1"});
  const struct {
    const char* what;
    base::Parsed<std::string> document;
    std::string_view line;
  } cases[] = {
      {"gone", base::Fault{"it is gone"}, "issuers[0], https://a/jwks: it is gone"},
      {"no set", base::parsed("<html>"), "issuers[0], https://a/jwks: this is not a JSON object"},
      {"a secret", base::parsed(R"({"keys":[{"kty":"oct","k":"c2VjcmV0"}]})"),
       "keys[0].kty is oct"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    log_.clear();
    advance(10min);
    servers_.answer("a", c.document);
    EXPECT_THAT(kids(), ElementsAre("1"));
    EXPECT_THAT(log_, HasSubstr(c.line));
    EXPECT_THAT(log_, testing::Not(HasSubstr("c2VjcmV0")));
  }
  EXPECT_EQ(keys_.figures().failed, 3U);
  EXPECT_EQ(changes_, 1);
}

TEST_F(FetchedKeysTest, are_lacking_until_there_is_a_set_also_one_without_keys) {
  auth::Issuer other = issuer("b");
  other.key_source = nullptr;
  follow({issuer("a"), other});
  EXPECT_TRUE(lacks_keys(0));
  EXPECT_FALSE(lacks_keys(1)) << "it publishes none";
  servers_.fail("a");
  EXPECT_TRUE(lacks_keys());
  EXPECT_EQ(changes_, 0);
  advance(10min);
  servers_.answer("a", base::parsed(R"({"keys":[]})"));
  EXPECT_FALSE(lacks_keys());
  EXPECT_EQ(changes_, 1) << "shards have to know";
  advance(24h);
  EXPECT_TRUE(lacks_keys());
}

TEST_F(FetchedKeysTest, may_be_none_any_more) {
  follow({issuer("a")});
  servers_.answer("a", {"1"});
  advance(10min);
  servers_.answer("a", base::parsed(R"({"keys":[{"kty":"new"}]})"));
  EXPECT_THAT(kids(), IsEmpty());
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(keys_.figures().without, 0U) << "there is a set";
  EXPECT_THAT(log_, HasSubstr("not taken: issuers[0], https://a/jwks: keys[0]: its kty signs no"));
}

TEST_F(FetchedKeysTest, are_not_waited_for_longer_than_five_seconds) {
  follow({issuer("a")});
  const auto answer = want("1");
  advance(5s - 1ms);
  EXPECT_EQ(servers_.open.size(), 1U);
  EXPECT_EQ(*answer, std::nullopt);
  advance(1ms);
  EXPECT_THAT(servers_.open, IsEmpty());
  EXPECT_EQ(*answer, false);
  EXPECT_THAT(
      log_, HasSubstr("keys not fetched: issuers[0], https://a/jwks: no whole answer within 5 s"));
  advance(10min - 5s - 1ms);
  EXPECT_EQ(servers_.begun, 1);
  advance(1ms);
  EXPECT_EQ(servers_.begun, 2) << "ten minutes after the last began";
}

TEST_F(FetchedKeysTest, live_for_a_day_without_their_server) {
  follow({issuer("a")});
  advance(1s);
  servers_.answer("a", {"1"});
  for (int i = 1; i < 24 * 6; ++i) {
    advance(i == 1 ? 10min - 1s : 10min);
    servers_.fail("a");
  }
  advance(10min - 1ms);
  EXPECT_THAT(kids(), ElementsAre("1"));
  EXPECT_EQ(changes_, 1);
  advance(1ms);
  EXPECT_THAT(kids(), IsEmpty());
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(keys_.figures().without, 1U);
  EXPECT_THAT(log_, HasSubstr("its keys are not taken any more"));
  servers_.answer("a", {"1"});
  EXPECT_THAT(kids(), ElementsAre("1"));
  EXPECT_EQ(changes_, 3);
}

TEST_F(FetchedKeysTest, that_are_unknown_are_fetched_once_a_minute) {
  follow({issuer("a")});
  servers_.answer("a", {"1"});
  const auto first = want("2");
  EXPECT_EQ(servers_.begun, 2);
  EXPECT_EQ(*first, std::nullopt);
  const auto second = want("3");
  EXPECT_EQ(servers_.begun, 2) << "one at a time";
  servers_.answer("a", {"1", "2"});
  EXPECT_EQ(*first, true);
  EXPECT_EQ(*second, false);

  EXPECT_EQ(*want("3"), false) << "at once";
  advance(1min - 1ms);
  EXPECT_EQ(*want("3"), false);
  EXPECT_EQ(servers_.begun, 2);
  advance(1ms);
  const auto third = want("3");
  EXPECT_EQ(servers_.begun, 3);
  servers_.fail("a");
  EXPECT_EQ(*third, false);
  EXPECT_THAT(kids(), ElementsAre("1", "2"));

  advance(10min - 1ms);
  EXPECT_EQ(servers_.begun, 3) << "the ten minutes count from the last fetch";
  advance(1ms);
  EXPECT_EQ(servers_.begun, 4);
}

TEST_F(FetchedKeysTest, that_have_come_meanwhile_are_not_waited_for) {
  follow({issuer("a")});
  servers_.answer("a", {"1"});
  EXPECT_EQ(*want("1"), true);
  EXPECT_EQ(servers_.begun, 1);
}

TEST_F(FetchedKeysTest, of_tokens_without_kid_may_be_any) {
  follow({issuer("a")});
  const auto first = want(std::nullopt);
  servers_.answer("a", std::vector<std::string>());
  EXPECT_EQ(*first, false);
  const auto second = want(std::nullopt);
  servers_.answer("a", {"1"});
  EXPECT_EQ(*second, true);
}

TEST_F(FetchedKeysTest, are_waited_for_by_a_hundred) {
  follow({issuer("a")});
  std::vector<std::shared_ptr<std::optional<bool>>> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(want("1"));
  }
  EXPECT_EQ(*want("1"), false) << "at once";
  for (const auto& answer : answers) {
    EXPECT_EQ(*answer, std::nullopt);
  }
  servers_.answer("a", {"1"});
  for (const auto& answer : answers) {
    EXPECT_EQ(*answer, true);
  }
}

TEST_F(FetchedKeysTest, are_looked_for_at_each_issuer_that_may_have_them) {
  follow({issuer("a"), issuer("b"), issuer("c")});
  for (const char* const host : {"a", "b", "c"}) {
    servers_.answer(host, {host});
  }
  const auto found = want("new", {0, 1});
  const auto missed = want("newer", {0, 1});
  EXPECT_EQ(servers_.open.size(), 2U) << "c is not asked";
  servers_.answer("a", {"new"});
  EXPECT_EQ(*found, true) << "b is slow";
  EXPECT_EQ(*missed, std::nullopt);
  servers_.fail("b");
  EXPECT_EQ(*missed, false);
  EXPECT_THAT(kids(1), ElementsAre("b"));

  const auto other = want("new", {2});
  EXPECT_EQ(servers_.open.size(), 1U) << "each issuer has its own minute";
  servers_.answer("c", {"new"});
  EXPECT_EQ(*other, true);
}

TEST_F(FetchedKeysTest, of_an_issuer_whose_url_stays_outlive_a_reload) {
  follow({issuer("a"), issuer("b")});
  servers_.answer("a", {"1"});
  servers_.answer("b", {"2"});
  follow({issuer("c"), issuer("b", "another CA")});
  EXPECT_THAT(kids(0), IsEmpty());
  EXPECT_THAT(kids(1), ElementsAre("2"));
  EXPECT_EQ(servers_.begun, 4) << "SIGHUP reads the keys again";
  servers_.answer("b", {"3"});
  EXPECT_THAT(kids(1), ElementsAre("3"));

  std::vector<auth::Issuer> renamed = {issuer("b")};
  renamed[0].name = "other";
  follow(renamed);
  EXPECT_THAT(kids(), IsEmpty()) << "the keys of another issuer are another's";
  follow({});
  EXPECT_THAT(servers_.open, IsEmpty());
  EXPECT_EQ(keys_.figures().without, 0U);
}

TEST_F(FetchedKeysTest, are_not_fetched_twice_by_a_reload) {
  follow({issuer("a")});
  const auto waiting = want("1");
  follow({issuer("a")});
  EXPECT_EQ(servers_.begun, 1) << "one is under way";
  servers_.answer("a", {"1"});
  EXPECT_EQ(*waiting, true);
  follow({issuer("a")});
  follow({issuer("a", "another CA")});
  EXPECT_EQ(servers_.begun, 3);
  EXPECT_EQ(servers_.open.size(), 1U)
      << "the other asked whom the operator does not trust any more";

  const auto given_up = want("2");
  follow({issuer("b")});
  EXPECT_EQ(*given_up, false);
}

TEST_F(FetchedKeysTest, stand_back_behind_those_in_files) {
  std::vector<auth::Issuer> issuers = {issuer("a")};
  const auto file = auth::parse_published_set(set_of({"1"}));
  issuers[0].keys = file->keys;
  follow(issuers);
  servers_.answer("a", {"1", "2"});
  EXPECT_THAT(kids(), ElementsAre("1", "2"));
}

}  // namespace
}  // namespace vrelo
