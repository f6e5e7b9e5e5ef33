// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/jws.h"

#include <algorithm>
#include <locale>
#include <utility>

#include <boost/algorithm/string/predicate.hpp>

#include "hub/auth/base64url.h"
#include "hub/auth/json.h"

namespace vrelo::auth {
namespace {

namespace json = boost::json;

// Reads the member `name` into `text`, which stays as it is where there is none. Returns false if
// it is not a text.
bool read_text(const json::object& object,
               json::string_view name,
               std::optional<std::string>& text) {
  const json::value* const member = object.if_contains(name);
  if (member == nullptr) {
    return true;
  }
  if (!member->is_string()) {
    return false;
  }
  text = text_of(member->get_string());
  return true;
}

bool is_nested(std::string_view content_type) {
  return boost::algorithm::iequals(content_type, "JWT", std::locale::classic()) ||
         boost::algorithm::iequals(content_type, "application/jwt", std::locale::classic());
}

Result<void> read_header(std::string_view text, Jws& jws) {
  const auto header = parse_json_object(text);
  if (!header) {
    return header.error();
  }
  for (const char* const extension : {"crit", "b64", "zip"}) {
    if (header->contains(extension)) {
      return Errc::kExtensionRefused;
    }
  }
  std::optional<std::string> algorithm;
  std::optional<std::string> content_type;
  if (!read_text(*header, "alg", algorithm) || !read_text(*header, "kid", jws.kid) ||
      !read_text(*header, "typ", jws.type) || !read_text(*header, "cty", content_type) ||
      !algorithm) {
    return Errc::kHeaderMalformed;
  }
  if (content_type && is_nested(*content_type)) {
    return Errc::kTokenNested;
  }
  if (jws.kid && jws.kid->size() > kKidBytesMax) {
    return Errc::kKidTooLong;
  }
  const auto known = parse_algorithm(*algorithm);
  if (!known) {
    return Errc::kAlgorithmUnknown;
  }
  jws.algorithm = *known;
  return {};
}

}  // namespace

Result<Jws> parse_jws(std::string_view token) {
  if (token.size() > kTokenBytesMax) {
    return Errc::kTokenTooLong;
  }
  if (std::count(token.begin(), token.end(), '.') != 2) {
    return Errc::kNotThreeParts;
  }
  const auto header_end = token.find('.');
  const auto payload_end = token.rfind('.');
  const auto header = decode_base64url(token.substr(0, header_end));
  auto signature = decode_base64url(token.substr(payload_end + 1));
  if (!header || !signature) {
    return Errc::kNotBase64Url;
  }

  Jws jws;
  if (const auto read = read_header(*header, jws); !read) {
    return read.error();
  }
  jws.signed_text = token.substr(0, payload_end);
  jws.payload = token.substr(header_end + 1, payload_end - header_end - 1);
  jws.signature = std::move(*signature);
  return jws;
}

bool may_have_signed(const NamedKey& key, const Jws& jws) {
  return key.key.algorithm() == jws.algorithm && (!key.kid || !jws.kid || *key.kid == *jws.kid);
}

Result<std::string> verified_payload(const Jws& jws, std::span<const NamedKey> keys) {
  Errc errc = Errc::kKeyUnknown;
  for (const NamedKey& key : keys) {
    if (may_have_signed(key, jws)) {
      if (key.key.verifies(jws.signed_text, jws.signature)) {
        auto payload = decode_base64url(jws.payload);
        if (!payload) {
          return Errc::kNotBase64Url;
        }
        return std::move(*payload);
      }
      errc = Errc::kSignatureWrong;
    }
  }
  return errc;
}

}  // namespace vrelo::auth
