// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/revocations.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = Revocation::Kind;

constexpr NumericDate kAt{1000};
constexpr NumericDate kNow = kAt + NumericDate(100);
constexpr NumericDate kNoLeeway{0};

// How long the hub has run.
Revocations::Steady after(int seconds) {
  return Revocations::Steady(std::chrono::seconds(seconds));
}

Revocations revoked(const Revocation& revocation) {
  return Revocations({revocation}, after(0));
}

VerifiedToken token(std::optional<NumericDate> issued_at = kAt) {
  return {.issuer_name = "a",
          .kid = "key",
          .claims = {.issuer = "a", .subject = "eva", .token_id = "t1", .issued_at = issued_at}};
}

TEST(Revocations, cover_nothing_at_first) {
  EXPECT_FALSE(Revocations().covers(token(), kNow, kNoLeeway));
  EXPECT_THAT(Revocations().all(), IsEmpty());
}

TEST(Revocations, cover_what_is_named_of_its_issuer_alone) {
  const struct {
    Revocation revocation;
    bool covers;
  } cases[] = {
      {{"a", Kind::kToken, "t1", kAt}, true},    {{"a", Kind::kToken, "t2", kAt}, false},
      {{"b", Kind::kToken, "t1", kAt}, false},   {{"a", Kind::kSubject, "eva", kAt}, true},
      {{"a", Kind::kSubject, "t1", kAt}, false}, {{"b", Kind::kSubject, "eva", kAt}, false},
      {{"a", Kind::kKey, "key", kAt}, true},     {{"a", Kind::kKey, "eva", kAt}, false},
  };
  for (const auto& [revocation, covers] : cases) {
    SCOPED_TRACE(std::string(name_of(revocation.kind)) + " " + revocation.name + " of " +
                 revocation.issuer);
    EXPECT_EQ(revoked(revocation).covers(token(), kNow, kNoLeeway), covers);
  }
}

TEST(Revocations, cover_a_subjects_tokens_until_then_and_a_keys_for_ever) {
  const auto subject = revoked({"a", Kind::kSubject, "eva", kAt});
  EXPECT_TRUE(subject.covers(token(kAt), kNow, kNoLeeway));
  EXPECT_TRUE(subject.covers(token(std::nullopt), kNow, kNoLeeway))
      << "who does not say when is not new";
  EXPECT_FALSE(subject.covers(token(kAt + NumericDate(1)), kNow, kNoLeeway));
  EXPECT_TRUE(subject.with({"a", Kind::kSubject, "eva", kAt + NumericDate(1)}, after(1))
                  .covers(token(kAt + NumericDate(1)), kNow, kNoLeeway));
  const auto key = revoked({"a", Kind::kKey, "key", kAt});
  EXPECT_TRUE(key.covers(token(kAt + NumericDate(1)), kNow, kNoLeeway))
      << "a thief says what he likes";
}

TEST(Revocations, cover_a_subjects_tokens_of_an_issuer_whose_clock_is_ahead) {
  const auto subject = revoked({"a", Kind::kSubject, "eva", kAt});
  EXPECT_TRUE(subject.covers(token(kAt + NumericDate(5)), kNow, NumericDate(5)));
  EXPECT_FALSE(subject.covers(token(kAt + NumericDate(5.5)), kNow, NumericDate(5)));
}

TEST(Revocations, do_not_cover_a_token_that_does_not_say) {
  const auto revocations =
      Revocations({{"a", Kind::kToken, "", kAt}, {"a", Kind::kKey, "", kAt}}, after(0));
  EXPECT_FALSE(revocations.covers({.issuer_name = "a"}, kNow, kNoLeeway));
}

TEST(Revocations, are_forgotten_when_all_such_tokens_have_ended) {
  const Revocation over{"a", Kind::kToken, "t1", kAt, kAt + NumericDate(9)};
  const Revocation lasting{"a", Kind::kToken, "t2", kAt, kAt + NumericDate(10)};
  const Revocation endless{"a", Kind::kToken, "t3", kAt};
  const Revocation late{"a", Kind::kToken, "t4", kAt + NumericDate(10)};
  const Revocations before({over, lasting, endless}, after(0));
  EXPECT_THAT(before.with(late, after(10)).all(), ElementsAre(lasting, endless, late));
}

TEST(Revocations, outlive_a_clock_that_goes_ahead_and_comes_back) {
  const Revocation token{"a", Kind::kToken, "t1", kAt, kAt + NumericDate(60)};
  const Revocation ahead{"a", Kind::kToken, "t2", kAt + NumericDate(9000), kAt + NumericDate(9060)};
  const Revocation later{"a", Kind::kToken, "t3", kAt + NumericDate(61)};
  const auto meanwhile = revoked(token).with(ahead, after(60));
  EXPECT_THAT(meanwhile.all(), ElementsAre(token, ahead));
  EXPECT_THAT(meanwhile.over(later, after(60)), IsEmpty());
  EXPECT_THAT(meanwhile.over(later, after(61)), ElementsAre(token));
  EXPECT_THAT(meanwhile.with(later, after(121)).all(), ElementsAre(ahead, later))
      << "as long as a clock may be behind it";
}

TEST(Revocations, outlive_a_clock_that_is_days_ahead_though_the_hub_was_restarted) {
  const NumericDate day = std::chrono::hours(24);
  const Revocation token{"a", Kind::kToken, "t1", kAt, kAt + day};
  for (const NumericDate ahead : {2 * day, 3 * day, kClockAheadMax}) {  // back by a day, on by two
    const Revocation next{"a", Kind::kToken, "t2", kAt + day + ahead};
    EXPECT_THAT(revoked(token).with(next, after(60)).all(), ElementsAre(token, next));
  }
}

TEST(Revocations, are_forgotten_also_by_a_hub_that_is_restarted_all_the_time) {
  const NumericDate day = std::chrono::hours(24);
  std::vector<Revocation> kept;
  for (int i = 0; i < 365; ++i) {
    const NumericDate at = kAt + i * day;
    kept = Revocations(kept, after(0))
               .with({"a", Kind::kToken, std::to_string(i), at, at + 7 * day}, after(60))
               .all();
    EXPECT_EQ(kept.size(), static_cast<std::size_t>(std::min(i + 1, 7 + 30 + 1)));
  }
}

TEST(Revocations, cover_a_subjects_tokens_of_a_time_that_is_to_come_again) {
  const auto subject = revoked({"a", Kind::kSubject, "eva", kAt});
  EXPECT_TRUE(subject.covers(token(kAt + NumericDate(60)), kAt + NumericDate(54), NumericDate(5)));
  EXPECT_FALSE(subject.covers(token(kAt + NumericDate(60)), kAt + NumericDate(55), NumericDate(5)));
}

TEST(Revocations, of_labels_are_forgotten_by_their_own_clock) {
  const Revocation token{"a", Kind::kToken, "t", kAt, kAt + NumericDate(9)};
  const Revocation label{"a", Kind::kLabel, "tab", kAt, kAt + NumericDate(9)};
  const Revocations before({token, label}, after(0));
  const Revocation later{"a", Kind::kLabel, "tab 2", kAt + NumericDate(10)};
  EXPECT_THAT(before.with(later, after(10)).all(), ElementsAre(token, later));
  const Revocation subject{"a", Kind::kSubject, "eva", kAt + NumericDate(10)};
  EXPECT_THAT(before.with(subject, after(10)).all(), ElementsAre(subject, label));
}

}  // namespace
}  // namespace vrelo::auth
