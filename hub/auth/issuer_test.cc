// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/issuer.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "hub/auth/base64url.h"
#include "hub/auth/token_testing.h"

namespace vrelo::auth {
namespace {

using testing::Issuers;
using testing::make_token;
using testing::SigningKey;

constexpr std::string_view kHeader = Issuers::kHeader;

class Token : public ::testing::Test {
 protected:
  Result<VerifiedToken> verify(std::string_view token, Role role = Role::kPublish) const {
    return verify_token(token, role, issuers_, Issuers::rules(), Issuers::kNow);
  }

  // Returns why a token is refused; no error: it is not.
  boost::system::error_code refusal(std::string_view token, Role role = Role::kPublish) const {
    const auto verified = verify(token, role);
    return verified ? boost::system::error_code() : verified.error();
  }

  std::string token(std::string_view header, std::string_view payload) const {
    return make_token(header, payload, keys_.app);
  }

  Issuers keys_;
  std::vector<Issuer> issuers_ = keys_.all();
};

TEST_F(Token, says_who_signed_it_and_what_it_grants) {
  const auto verified = verify(token(
      kHeader,
      Issuers::payload(Issuers::detail(R"("actions":["publish"],"topics":[{"match":"https://a"}])"),
                       R"(,"sub":"s","jti":"j","client_id":"c","iat":1,"nbf":1.5)")));
  ASSERT_TRUE(verified) << verified.error().message();
  EXPECT_EQ(verified->issuer, 0U);
  EXPECT_EQ(verified->kid, "app");
  const Claims expected{
      .issuer = "https://app.example",
      .subject = "s",
      .client_id = "c",
      .token_id = "j",
      .audience = {std::string(Issuers::kHub)},
      .expires = Issuers::kExpiry,
      .not_before = NumericDate(1.5),
      .issued_at = NumericDate(1),
      .details = {{.allows_publish = true, .topics = {{.text = "https://a"}}}},
  };
  EXPECT_EQ(verified->claims, expected);
}

TEST_F(Token, may_be_written_in_many_ways) {
  const struct {
    const char* what;
    std::string header;
    std::string payload;
  } cases[] = {
      {"typ in capitals", R"({"typ":"AT+JWT","alg":"ES256","kid":"app"})", Issuers::payload()},
      {"typ in full", R"({"typ":"application/at+jwt","alg":"ES256"})", Issuers::payload()},
      {"no kid", R"({"typ":"at+jwt","alg":"ES256"})", Issuers::payload()},
      {"an attacker's key beside", R"({"typ":"at+jwt","alg":"ES256","jwk":{},"jku":"https://x"})",
       Issuers::payload()},
      {"white space", " {\n\"typ\" : \"at+jwt\",\t\"alg\":\"ES256\"} ",
       " " + Issuers::payload() + "\r\n"},
      {"several audiences", std::string(kHeader),
       R"({"iss":"https://app.example","aud":["x","http://hub.internal/"],"exp":1000001})"},
      {"a fraction of a second", std::string(kHeader),
       R"({"iss":"https://app.example","aud":"http://hub.internal/","exp":1000000.000001})"},
      {"an exponent", std::string(kHeader),
       R"({"iss":"https://app.example","aud":"http://hub.internal/","exp":1.5e6})"},
      {"2^53", std::string(kHeader),
       R"({"iss":"https://app.example","aud":"http://hub.internal/","exp":9007199254740992})"},
      {"nbf now", std::string(kHeader), Issuers::payload("[]", R"(,"nbf":1000000)")},
      {"a mercure claim beside", std::string(kHeader), Issuers::payload("[]", R"(,"mercure":1)")},
      {"somebody else's details", std::string(kHeader),
       Issuers::payload(R"([{"type":"x","actions":1}])")},
      {"NUL in a text", std::string(kHeader), Issuers::payload("[]", R"(,"sub":"a\u0000b")")},
      {"a payload of a detail", std::string(kHeader),
       Issuers::payload(Issuers::detail(
           R"("actions":["x","subscribe"],"topics":[{"match":"*"}],"payload":{"a":[1]})"))},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(token(c.header, c.payload)), boost::system::error_code());
  }
}

TEST_F(Token, is_refused_when_its_form_is_not_exact) {
  const std::string good = token(kHeader, Issuers::payload());
  ASSERT_TRUE(verify(good));
  const auto payload_at = good.find('.') + 1;
  const auto signature_at = good.rfind('.') + 1;
  const std::string header = good.substr(0, payload_at);
  const std::string payload = good.substr(payload_at, signature_at - payload_at);
  const std::string signature = good.substr(signature_at);
  const struct {
    const char* what;
    std::string token;
    Errc errc;
  } cases[] = {
      {"nothing", "", Errc::kNotThreeParts},
      {"one part", "abc", Errc::kNotThreeParts},
      {"two parts", header + "abc", Errc::kNotThreeParts},
      {"a dot at the end", good + ".", Errc::kNotThreeParts},
      {"an encrypted token", "a.b.c.d.e", Errc::kNotThreeParts},
      {"dots alone", "..", Errc::kNotJson},
      {"8193 bytes", std::string(8193, '.'), Errc::kTokenTooLong},
      {"8193 bytes, signed", token(kHeader, Issuers::payload("[]", std::string(8193, ' '))),
       Errc::kTokenTooLong},
      {"a space before", " " + good, Errc::kNotBase64Url},
      {"a line end after", good + "\n", Errc::kNotBase64Url},
      {"a NUL after", good + '\0', Errc::kNotBase64Url},
      {"padding of the signature", good + "==", Errc::kNotBase64Url},
      {"padding of the header", header.substr(0, header.size() - 1) + "=." + payload + signature,
       Errc::kNotBase64Url},
      {"JSON instead of base64url", R"({"alg":"ES256"}..)", Errc::kNotBase64Url},
      {"no signature", header + payload, Errc::kSignatureWrong},
      {"a signature cut short", good.substr(0, good.size() - 1), Errc::kNotBase64Url},
      {"a signature of 63 bytes", header + payload + encode_base64url(std::string(63, 'x')),
       Errc::kSignatureWrong},
      {"a signature of zeros", header + payload + encode_base64url(std::string(64, '\0')),
       Errc::kSignatureWrong},
      {"another payload", header + encode_base64url(Issuers::payload()) + "A." + signature,
       Errc::kSignatureWrong},
      {"another header",
       encode_base64url(R"({"alg":"ES256","kid":"app"})") + "." + payload + signature,
       Errc::kSignatureWrong},
      {"no payload", header + "." + signature, Errc::kSignatureWrong},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(c.token), c.errc) << refusal(c.token).message();
  }
}

TEST_F(Token, is_refused_for_its_header) {
  const struct {
    const char* what;
    std::string header;
    Errc errc;
  } cases[] = {
      {"not JSON", "ES256", Errc::kNotJson},
      {"not UTF-8", "{\"alg\":\"ES256\",\"x\":\"\xFF\"}", Errc::kNotJson},
      {"an array", R"(["ES256"])", Errc::kNotAnObject},
      {"alg twice", R"({"alg":"ES256","alg":"none"})", Errc::kNameTwice},
      {"kid twice, once escaped", R"({"alg":"ES256","kid":"app","k\u0069d":"app"})",
       Errc::kNameTwice},
      {"a name twice below", R"({"alg":"ES256","x":{"y":1,"y":2}})", Errc::kNameTwice},
      {"a number that is too large", R"({"alg":"ES256","x":1e999})", Errc::kNumberNotFinite},
      {"no alg", R"({"typ":"at+jwt"})", Errc::kHeaderMalformed},
      {"alg is null", R"({"alg":null})", Errc::kHeaderMalformed},
      {"alg is a list", R"({"alg":["ES256"]})", Errc::kHeaderMalformed},
      {"kid is a number", R"({"alg":"ES256","kid":1})", Errc::kHeaderMalformed},
      {"typ is a list", R"({"alg":"ES256","typ":["at+jwt"]})", Errc::kHeaderMalformed},
      {"cty is null", R"({"alg":"ES256","cty":null})", Errc::kHeaderMalformed},
      {"kid of 257 bytes", fmt::format(R"({{"alg":"ES256","kid":"{}"}})", std::string(257, 'k')),
       Errc::kKidTooLong},
      {"crit of what we know", R"({"alg":"ES256","crit":["exp"],"exp":1})",
       Errc::kExtensionRefused},
      {"crit that is empty", R"({"alg":"ES256","crit":[]})", Errc::kExtensionRefused},
      {"crit that is null", R"({"alg":"ES256","crit":null})", Errc::kExtensionRefused},
      {"b64", R"({"alg":"ES256","b64":true})", Errc::kExtensionRefused},
      {"zip", R"({"alg":"ES256","zip":"DEF"})", Errc::kExtensionRefused},
      {"a token within", R"({"alg":"ES256","cty":"JWT"})", Errc::kTokenNested},
      {"a token within, in small letters", R"({"alg":"ES256","cty":"jwt"})", Errc::kTokenNested},
      {"a token within, in full", R"({"alg":"ES256","cty":"application/JWT"})", Errc::kTokenNested},
      {"alg none", R"({"alg":"none","kid":"app"})", Errc::kAlgorithmUnknown},
      {"alg None", R"({"alg":"None"})", Errc::kAlgorithmUnknown},
      {"alg NONE", R"({"alg":"NONE"})", Errc::kAlgorithmUnknown},
      {"alg empty", R"({"alg":""})", Errc::kAlgorithmUnknown},
      {"alg in small letters", R"({"alg":"es256","kid":"app"})", Errc::kAlgorithmUnknown},
      {"alg with a space", R"({"alg":"ES256 ","kid":"app"})", Errc::kAlgorithmUnknown},
      {"alg with a NUL", R"({"alg":"ES256\u0000","kid":"app"})", Errc::kAlgorithmUnknown},
      {"alg of another curve", R"({"alg":"ES256K","kid":"app"})", Errc::kAlgorithmUnknown},
      {"alg for encryption", R"({"alg":"RSA-OAEP","enc":"A256GCM"})", Errc::kAlgorithmUnknown},
      {"the curve as alg", R"({"alg":"Ed25519"})", Errc::kAlgorithmUnknown},
      {"an algorithm that no key has", R"({"typ":"at+jwt","alg":"EdDSA"})", Errc::kKeyUnknown},
      {"another algorithm than the key's", R"({"alg":"ES384","kid":"app"})", Errc::kKeyUnknown},
      {"an unknown kid", R"({"typ":"at+jwt","alg":"ES256","kid":"App"})", Errc::kKeyUnknown},
      {"kid empty", R"({"typ":"at+jwt","alg":"ES256","kid":""})", Errc::kKeyUnknown},
      {"kid a path", R"({"alg":"ES256","kid":"../../../../dev/null"})", Errc::kKeyUnknown},
      {"kid with line breaks", R"({"alg":"ES256","kid":"app\r\nSet-Cookie: a=b"})",
       Errc::kKeyUnknown},
      {"kid with NUL", R"({"alg":"ES256","kid":"app\u0000"})", Errc::kKeyUnknown},
      {"kid of another issuer", R"({"typ":"at+jwt","alg":"ES256","kid":"other"})",
       Errc::kSignatureWrong},
      {"no typ", R"({"alg":"ES256","kid":"app"})", Errc::kTypeRefused},
      {"typ of an ID token", R"({"typ":"JWT","alg":"ES256","kid":"app"})", Errc::kTypeRefused},
      {"typ empty", R"({"typ":"","alg":"ES256","kid":"app"})", Errc::kTypeRefused},
      {"typ of a logout token", R"({"typ":"logout+jwt","alg":"ES256"})", Errc::kTypeRefused},
      {"typ with a NUL", R"({"typ":"at+jwt\u0000","alg":"ES256"})", Errc::kTypeRefused},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const std::string refused = token(c.header, Issuers::payload());
    EXPECT_EQ(refusal(refused), c.errc) << refusal(refused).message();
  }
}

TEST_F(Token, is_refused_for_its_claims) {
  const auto with = [](std::string_view aud, std::string_view exp, std::string_view more = "") {
    return fmt::format(R"({{"iss":"https://app.example"{}{}{}}})", aud, exp, more);
  };
  constexpr std::string_view kAud = R"(,"aud":"https://hub.example/.well-known/mercure")";
  constexpr std::string_view kExp = R"(,"exp":1000600)";
  const struct {
    const char* what;
    std::string payload;
    Errc errc;
  } cases[] = {
      {"no payload", "", Errc::kNotJson},
      {"a text", R"("iss")", Errc::kNotAnObject},
      {"iss twice", with(kAud, kExp, R"(,"iss":"https://app.example")"), Errc::kNameTwice},
      {"exp twice", with(kAud, kExp, kExp), Errc::kNameTwice},
      {"a name twice in a claim of others", with(kAud, kExp, R"(,"x":[{"a":1,"a":1}])"),
       Errc::kNameTwice},
      {"more than JSON", with(kAud, kExp) + "x", Errc::kNotJson},
      {"no iss", R"({"aud":"http://hub.internal/","exp":1000600})", Errc::kIssuerRefused},
      {"iss is a list", R"({"iss":["https://app.example"],"exp":1000600})", Errc::kIssuerMalformed},
      {"iss with a slash more", R"({"iss":"https://app.example/","exp":1000600})",
       Errc::kIssuerRefused},
      {"iss in capitals", R"({"iss":"https://APP.example","exp":1000600})", Errc::kIssuerRefused},
      {"iss with a NUL", R"({"iss":"https://app.example\u0000","exp":1})", Errc::kIssuerRefused},
      {"iss of another", R"({"iss":"https://other.example","exp":1000600})", Errc::kIssuerRefused},
      {"sub is a number", with(kAud, kExp, R"(,"sub":7)"), Errc::kSubjectMalformed},
      {"jti is an object", with(kAud, kExp, R"(,"jti":{})"), Errc::kSubjectMalformed},
      {"client_id is null", with(kAud, kExp, R"(,"client_id":null)"), Errc::kSubjectMalformed},
      {"no aud", with("", kExp), Errc::kAudienceRefused},
      {"aud of another", with(R"(,"aud":"https://hub.example/")", kExp), Errc::kAudienceRefused},
      {"aud of others", with(R"(,"aud":["a","b"])", kExp), Errc::kAudienceRefused},
      {"aud in capitals", with(R"(,"aud":"HTTP://hub.internal/")", kExp), Errc::kAudienceRefused},
      {"aud is empty", with(R"(,"aud":"")", kExp), Errc::kAudienceRefused},
      {"aud is an empty list", with(R"(,"aud":[])", kExp), Errc::kAudienceMalformed},
      {"aud has a number", with(R"(,"aud":["http://hub.internal/",1])", kExp),
       Errc::kAudienceMalformed},
      {"aud is null", with(R"(,"aud":null)", kExp), Errc::kAudienceMalformed},
      {"no exp", with(kAud, ""), Errc::kExpiryMissing},
      {"exp now", with(kAud, R"(,"exp":1000000)"), Errc::kExpired},
      {"exp a microsecond ago", with(kAud, R"(,"exp":999999.999999)"), Errc::kExpired},
      {"exp 0", with(kAud, R"(,"exp":0)"), Errc::kExpired},
      {"exp negative", with(kAud, R"(,"exp":-1)"), Errc::kTimeMalformed},
      {"exp a text", with(kAud, R"(,"exp":"1000600")"), Errc::kTimeMalformed},
      {"exp null", with(kAud, R"(,"exp":null)"), Errc::kTimeMalformed},
      {"exp true", with(kAud, R"(,"exp":true)"), Errc::kTimeMalformed},
      {"exp beyond 2^53", with(kAud, R"(,"exp":9007199254740994)"), Errc::kTimeMalformed},
      {"exp 2^64 - 1", with(kAud, R"(,"exp":18446744073709551615)"), Errc::kTimeMalformed},
      {"exp 1e300", with(kAud, R"(,"exp":1e300)"), Errc::kTimeMalformed},
      {"exp 1e400", with(kAud, R"(,"exp":1e400)"), Errc::kNumberNotFinite},
      {"nbf in a second", with(kAud, kExp, R"(,"nbf":1000001)"), Errc::kNotYetValid},
      {"nbf in a microsecond", with(kAud, kExp, R"(,"nbf":1000000.000001)"), Errc::kNotYetValid},
      {"nbf a text", with(kAud, kExp, R"(,"nbf":"0")"), Errc::kTimeMalformed},
      {"iat negative", with(kAud, kExp, R"(,"iat":-0.5)"), Errc::kTimeMalformed},
      {"iat a list", with(kAud, kExp, R"(,"iat":[1])"), Errc::kTimeMalformed},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const std::string refused = token(kHeader, c.payload);
    EXPECT_EQ(refusal(refused), c.errc) << refusal(refused).message();
  }
}

TEST_F(Token, of_an_issuer_with_a_lifetime_may_not_live_longer_whenever_it_is_shown) {
  issuers_[0].token_lifetime = NumericDate(600);
  const struct {
    const char* what;
    std::string more;  // claims; exp is kExpiry
    double now;        // from kNow on
    boost::system::error_code error;
  } cases[] = {
      {"as long as it may", R"(,"iat":1000000)", 0, {}},
      {"a fraction longer, at once", R"(,"iat":999999.5)", 0, Errc::kExpiryTooFar},
      {"a fraction longer, near its end", R"(,"iat":999999.5)", 599, Errc::kExpiryTooFar},
      {"made in the future", R"(,"iat":1000009)", -10, Errc::kExpiryTooFar},
      {"for later", R"(,"iat":1000000,"nbf":1000300)", 300, {}},
      {"no iat", "", 599, Errc::kIssuedAtMissing},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto verified =
        verify_token(token(kHeader, Issuers::payload("[]", c.more)), Role::kPublish, issuers_,
                     Issuers::rules(), Issuers::kNow + NumericDate(c.now));
    EXPECT_EQ(verified ? boost::system::error_code() : verified.error(), c.error);
  }
}

TEST_F(Token, is_refused_as_a_whole_for_a_bad_detail) {
  const auto detail = [](std::string_view members) { return Issuers::detail(members); };
  const auto topics = [](std::string_view list) {
    return Issuers::detail(fmt::format(R"("actions":["publish"],"topics":{})", list));
  };
  const std::string good = topics(R"([{"match":"a"}])");
  std::string many;
  for (int i = 0; i < 33; ++i) {
    many += (i == 0 ? "" : ",") + good.substr(1, good.size() - 2);
  }
  std::string wide = R"({"match":""})";
  for (int i = 0; i < 100; ++i) {
    wide += R"(,{"match":""})";
  }
  const struct {
    const char* what;
    std::string details;
    Errc errc;
  } cases[] = {
      {"no list", "{}", Errc::kDetailsMalformed},
      {"null", "null", Errc::kDetailsMalformed},
      {"a number among them", "[1]", Errc::kDetailsMalformed},
      {"no type", R"([{"actions":["publish"]}])", Errc::kDetailsMalformed},
      {"type a number", R"([{"type":1}])", Errc::kDetailsMalformed},
      {"no actions", detail(R"("topics":[{"match":"a"}])"), Errc::kActionsMalformed},
      {"actions empty", detail(R"("actions":[],"topics":[{"match":"a"}])"),
       Errc::kActionsMalformed},
      {"actions a text", detail(R"("actions":"publish","topics":[{"match":"a"}])"),
       Errc::kActionsMalformed},
      {"a number as action", detail(R"("actions":["publish",1],"topics":[{"match":"a"}])"),
       Errc::kActionsMalformed},
      {"no topics", detail(R"("actions":["publish"])"), Errc::kTopicsMalformed},
      {"topics empty", topics("[]"), Errc::kTopicsMalformed},
      {"topics a text", topics(R"("*")"), Errc::kTopicsMalformed},
      {"a text as topic", topics(R"(["a"])"), Errc::kTopicsMalformed},
      {"no match", topics(R"([{"match_type":"exact"}])"), Errc::kMatcherMalformed},
      {"match a number", topics(R"([{"match":1}])"), Errc::kMatcherMalformed},
      {"match with a control character", topics(R"([{"match":"a\u0000"}])"),
       Errc::kMatcherMalformed},
      {"match with what cannot be seen", topics(R"([{"match":"a\u200d"}])"),
       Errc::kMatcherMalformed},
      {"match too long", topics(fmt::format(R"([{{"match":"{}"}}])", std::string(4097, 'a'))),
       Errc::kDetailsTooMany},
      {"match_type in capitals", topics(R"([{"match":"a","match_type":"Exact"}])"),
       Errc::kMatchTypeUnknown},
      {"match_type of 0.x", topics(R"([{"match":"a","match_type":"uritemplate"}])"),
       Errc::kMatchTypeUnknown},
      {"match_type unknown for all topics", topics(R"([{"match":"*","match_type":"foo"}])"),
       Errc::kMatchTypeUnknown},
      {"match_type null", topics(R"([{"match":"a","match_type":null}])"), Errc::kMatchTypeUnknown},
      {"payload a number",
       detail(R"("actions":["subscribe"],"topics":[{"match":"a"}],"payload":3)"),
       Errc::kPayloadMalformed},
      {"a bad one after a good one", good.substr(0, good.size() - 1) + "," + topics("[]").substr(1),
       Errc::kTopicsMalformed},
      {"101 topics", topics("[" + wide + "]"), Errc::kDetailsTooMany},
      {"33 details", "[" + many + "]", Errc::kDetailsTooMany},
  };
  ASSERT_TRUE(verify(token(kHeader, Issuers::payload(good))));
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const std::string refused = token(kHeader, Issuers::payload(c.details));
    EXPECT_EQ(refusal(refused), c.errc) << refusal(refused).message();
  }
}

TEST_F(Token, is_refused_where_its_key_may_not_sign) {
  const std::string payload = Issuers::payload();
  const std::string others =
      R"({"iss":"https://other.example","aud":"http://hub.internal/","exp":1000600})";
  const std::string public_key = keys_.rsa.public_pem();
  const auto header = [](std::string_view alg, std::string_view kid) {
    return fmt::format(R"({{"typ":"at+jwt","alg":"{}","kid":"{}"}})", alg, kid);
  };
  const struct {
    const char* what;
    std::string token;
    Role role;
    boost::system::error_code error;
  } cases[] = {
      {"the public key of RSA as a secret",
       make_token(header("HS256", "rsa"), payload, SigningKey(Algorithm::kHs256, public_key)),
       Role::kPublish, Errc::kSignatureWrong},
      {"RS256 by the same key",
       make_token(header("RS256", "rsa"), payload, keys_.rsa),
       Role::kPublish,
       {}},
      {"PS256 by a key for RS256",
       make_token(header("PS256", "rsa"), payload, SigningKey(Algorithm::kPs256, keys_.rsa)),
       Role::kPublish, Errc::kKeyUnknown},
      {"RS512 by a key for RS256",
       make_token(header("RS512", "rsa"), payload, SigningKey(Algorithm::kRs512, keys_.rsa)),
       Role::kPublish, Errc::kKeyUnknown},
      {"HS512 by a secret for HS256",
       make_token(header("HS512", "x"), payload, SigningKey(Algorithm::kHs512, keys_.secret)),
       Role::kPublish, Errc::kKeyUnknown},
      {"another issuer's key, our iss", make_token(header("ES256", "other"), payload, keys_.other),
       Role::kPublish, Errc::kIssuerRefused},
      {"another issuer's key, its iss",
       make_token(header("ES256", "other"), others, keys_.other),
       Role::kPublish,
       {}},
      {"an algorithm that is not taken from its issuer",
       make_token(header("RS256", "spare"), others, keys_.rsa), Role::kPublish, Errc::kKeyUnknown},
      {"a subscriber's key to publish",
       make_token(header("ES256", "subscribers"), payload, keys_.subscribers), Role::kPublish,
       Errc::kKeyUnknown},
      {"a subscriber's key to subscribe",
       make_token(header("ES256", "subscribers"), payload, keys_.subscribers),
       Role::kSubscribe,
       {}},
      {"a publisher's key to administer", make_token(header("ES256", "app"), payload, keys_.app),
       Role::kAdmin, Errc::kKeyUnknown},
      {"a key that nobody knows",
       make_token(header("ES256", "app"), payload, SigningKey(Algorithm::kEs256)), Role::kPublish,
       Errc::kSignatureWrong},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(c.token, c.role), c.error) << refusal(c.token, c.role).message();
  }
}

TEST_F(Token, may_be_one_of_0x_where_its_key_is_marked_so) {
  const std::string claim = R"({"mercure":{"publish":["https://a/{id}","*"],"subscribe":[]}})";
  const auto verified = verify(make_token(R"({"typ":"JWT","alg":"HS256"})", claim, keys_.secret));
  ASSERT_TRUE(verified) << verified.error().message();
  EXPECT_EQ(verified->issuer, 3U);
  const Claims expected{
      .form = TokenForm::kMercureClaim,
      .details = {{.allows_publish = true,
                   .topics = {{.kind = TopicMatcher::Kind::kUriTemplate, .text = "https://a/{id}"},
                              {.kind = TopicMatcher::Kind::kAll}}}},
  };
  EXPECT_EQ(verified->claims, expected);

  const std::string both =
      R"({"mercure":{"publish":["*"]},"authorization_details":[],"exp":1000600})";
  const struct {
    const char* what;
    const char* header;
    std::string payload;
    boost::system::error_code error;
  } cases[] = {
      {"no typ", R"({"alg":"HS256"})", claim, {}},
      {"the claim's other name",
       R"({"alg":"HS256"})",
       R"({"https://mercure.rocks/":{"subscribe":["a"],"payload":[1]}})",
       {}},
      {"a text that no topic can be",
       R"({"alg":"HS256"})",
       R"({"mercure":{"publish":["a\u0000"]}})",
       {}},
      {"neither list", R"({"alg":"HS256"})", R"({"mercure":{}})", {}},
      {"an access token by the same key",
       R"({"typ":"at+jwt","alg":"HS256"})",
       Issuers::payload(),
       {}},
      {"no claim", R"({"alg":"HS256"})", R"({"exp":1000600})", Errc::kTypeRefused},
      {"details beside", R"({"alg":"HS256"})", both, Errc::kTypeRefused},
      {"it says it is an access token", R"({"typ":"at+jwt","alg":"HS256"})", claim,
       Errc::kIssuerRefused},
      {"it has expired", R"({"alg":"HS256"})", R"({"mercure":{"publish":["*"]},"exp":1000000})",
       Errc::kExpired},
      {"not yet", R"({"alg":"HS256"})", R"({"mercure":{"publish":["*"]},"nbf":1000001})",
       Errc::kNotYetValid},
      {"a claim that is none", R"({"alg":"HS256"})", R"({"mercure":["*"]})",
       Errc::kDetailsMalformed},
      {"publish is no list", R"({"alg":"HS256"})", R"({"mercure":{"publish":"*"}})",
       Errc::kTopicsMalformed},
      {"publish has a number", R"({"alg":"HS256"})", R"({"mercure":{"publish":[1]}})",
       Errc::kMatcherMalformed},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(make_token(c.header, c.payload, keys_.secret)), c.error);
  }
  EXPECT_EQ(refusal(token(R"({"alg":"ES256","kid":"app"})", claim)), Errc::kTypeRefused);
}

TEST_F(Token, may_be_a_little_early_or_late_where_clocks_differ) {
  const TokenRules rules{.audiences = Issuers::rules().audiences, .leeway = NumericDate(60)};
  const std::string token =
      make_token(kHeader, Issuers::payload("[]", R"(,"nbf":1000300)"), keys_.app);
  const struct {
    double now;
    boost::system::error_code error;
  } cases[] = {
      {1000239.9, Errc::kNotYetValid}, {1000240, {}}, {1000659.9, {}}, {1000660, Errc::kExpired}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.now);
    const auto verified = verify_token(token, Role::kPublish, issuers_, rules, NumericDate(c.now));
    EXPECT_EQ(verified ? boost::system::error_code() : verified.error(), c.error);
  }
}

TEST_F(Token, is_tried_with_few_keys) {
  std::vector<Issuer> issuers{{.name = "https://app.example", .roles = {Role::kPublish}}};
  const std::string token =
      make_token(R"({"typ":"at+jwt","alg":"ES256"})", Issuers::payload(), keys_.app);
  for (int i = 0; i < kKeysTriedMax - 1; ++i) {
    issuers[0].keys.push_back({.key = keys_.other.verifying()});
  }
  issuers[0].keys.push_back({.key = keys_.app.verifying()});
  const TokenRules rules = Issuers::rules();
  EXPECT_TRUE(verify_token(token, Role::kPublish, issuers, rules, Issuers::kNow));
  issuers[0].keys.insert(issuers[0].keys.begin(), {.key = keys_.other.verifying()});
  EXPECT_EQ(verify_token(token, Role::kPublish, issuers, rules, Issuers::kNow).error(),
            Errc::kKidNeeded);
}

TEST_F(Token, is_known_by_any_issuer_that_has_its_key) {
  std::vector<Issuer> issuers = issuers_;
  issuers[0].name = "https://third.example";
  issuers[2].keys[0].key = keys_.app.verifying();
  issuers[2].keys[0].kid = "app";
  issuers[2].name = "https://app.example";
  const auto verified = verify_token(token(kHeader, Issuers::payload()), Role::kPublish, issuers,
                                     Issuers::rules(), Issuers::kNow);
  ASSERT_TRUE(verified) << verified.error().message();
  EXPECT_EQ(verified->issuer, 2U);
}

TEST_F(Token, whose_key_is_unknown_is_asked_for_where_it_may_be) {
  std::vector<Issuer> issuers = keys_.all();
  const auto source = [] { return std::make_shared<const KeySource>(); };
  issuers[0].key_source = source();
  issuers[1].key_source = source();  // for subscribers
  issuers[2].key_source = source();  // for ES256
  const struct {
    const char* what;
    const char* header;
    Role role;
    Errc error;
    std::vector<KeySourcePtr> sources;
  } cases[] = {
      {"a new kid",
       R"({"alg":"ES256","kid":"new"})",
       Role::kPublish,
       Errc::kKeyUnknown,
       {issuers[0].key_source, issuers[2].key_source}},
      {"another's kid",
       R"({"alg":"ES256","kid":"app"})",
       Role::kPublish,
       Errc::kSignatureWrong,
       {issuers[2].key_source}},
      {"its role",
       R"({"alg":"ES384","kid":"new"})",
       Role::kSubscribe,
       Errc::kKeyUnknown,
       {issuers[0].key_source, issuers[1].key_source}},
      {"nobody's role", R"({"alg":"ES256","kid":"new"})", Role::kAdmin, Errc::kKeyUnknown, {}},
      {"no kid, and no key of its kind",
       R"({"alg":"EdDSA"})",
       Role::kPublish,
       Errc::kKeyUnknown,
       {issuers[0].key_source}},
      {"no kid", R"({"alg":"ES256"})", Role::kPublish, Errc::kSignatureWrong, {}},
      {"a secret", R"({"alg":"HS256","kid":"new"})", Role::kPublish, Errc::kKeyUnknown, {}},
      {"a known key", R"({"alg":"ES256","kid":"app"})", Role::kPublish, Errc::kExpired, {}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const KeysWanted wanted =
        keys_wanted(make_token(c.header, "{}", keys_.other), c.role, issuers, c.error);
    EXPECT_EQ(wanted.sources, c.sources);
    EXPECT_TRUE(wanted.sources.empty() ||
                wanted.kid == parse_jws(make_token(c.header, "{}", keys_.other))->kid);
  }
  EXPECT_TRUE(keys_wanted("no token", Role::kPublish, issuers, Errc::kKeyUnknown).sources.empty());
}

TEST_F(Token, is_trusted_as_long_as_its_key_is) {
  const auto verified = verify(token(kHeader, Issuers::payload()), Role::kSubscribe);
  ASSERT_TRUE(verified);
  std::vector<Issuer> issuers = keys_.all();
  EXPECT_TRUE(is_trusted(*verified, Role::kSubscribe, issuers));
  EXPECT_FALSE(is_trusted(*verified, Role::kAdmin, issuers));
  std::swap(issuers[0], issuers[2]);
  issuers[2].keys[0].kid = "renamed";
  EXPECT_TRUE(is_trusted(*verified, Role::kSubscribe, issuers)) << "it is the same key";
  issuers[2].keys[0].key = SigningKey(Algorithm::kEs256).verifying();
  EXPECT_FALSE(is_trusted(*verified, Role::kSubscribe, issuers)) << "another with the same kid";
  issuers = keys_.all();
  issuers[0].algorithms = {Algorithm::kRs256};
  EXPECT_FALSE(is_trusted(*verified, Role::kSubscribe, issuers));
  issuers = keys_.all();
  issuers[0].name = "https://new.example";
  EXPECT_FALSE(is_trusted(*verified, Role::kSubscribe, issuers));
  EXPECT_FALSE(is_trusted(*verified, Role::kSubscribe, {}));
}

}  // namespace
}  // namespace vrelo::auth
