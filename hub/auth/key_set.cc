// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/key_set.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "hub/auth/json.h"
#include "hub/auth/jwk.h"

namespace vrelo::auth {
namespace {

namespace json = boost::json;
using base::Fault;
using base::Parsed;

constexpr std::string_view kPemBegin = "-----BEGIN ";

// Returns why the keys do not go together.
std::optional<Fault> find_conflict(const std::vector<NamedKey>& keys) {
  const auto is_secret = [](const NamedKey& key) {
    return kind_of(key.key.algorithm()) == KeyKind::kSecret;
  };
  const auto secrets = std::count_if(keys.begin(), keys.end(), is_secret);
  if (secrets != 0 && static_cast<std::size_t>(secrets) != keys.size()) {
    return Fault{"there are secrets beside public keys; they belong into files of their own"};
  }
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    if (key->kid && std::any_of(keys.begin(), key,
                                [&key](const NamedKey& other) { return other.kid == key->kid; })) {
      return Fault{"two keys have the same kid"};
    }
  }
  return std::nullopt;
}

// It may have no keys.
Parsed<KeySet> parse_jwk_set(const json::value& keys, const KeySetOptions& options) {
  if (!keys.is_array()) {
    return Fault{"keys is not an array"};
  }
  const json::array& jwks = keys.get_array();
  if (jwks.size() > kKeysMax) {
    return Fault{fmt::format("there are {} keys, of {} at most", jwks.size(), kKeysMax)};
  }
  KeySet set;
  for (std::size_t i = 0; i < jwks.size(); ++i) {
    const std::string where = fmt::format("keys[{}]", i);
    if (!jwks[i].is_object()) {
      return Fault{where + " is not an object"};
    }
    auto jwk = read_jwk(jwks[i].get_object(), where + ".", options);
    if (!jwk) {
      return jwk.error();
    }
    if (jwk->key) {
      set.keys.push_back(std::move(*jwk->key));
    } else {
      set.skipped.push_back(where + ": " + jwk->why_not);
    }
  }
  if (const auto conflict = find_conflict(set.keys)) {
    return *conflict;
  }
  return set;
}

Parsed<KeySet> parse_jwk(const json::object& jwk, const KeySetOptions& options) {
  auto read = read_jwk(jwk, "", options);
  if (!read) {
    return read.error();
  }
  if (!read->key) {
    return Fault{"the key is not for tokens: " + read->why_not};
  }
  KeySet set;
  set.keys.push_back(std::move(*read->key));
  return set;
}

Parsed<json::object> parse_object(std::string_view text) {
  auto object = parse_json_object(text);
  if (!object) {
    return Fault{object.error() == Errc::kNameTwice ? "an object has a name twice"
                                                    : "this is not a JSON object"};
  }
  return *std::move(object);
}

Parsed<KeySet> parse_json_keys(std::string_view text, const KeySetOptions& options) {
  const auto object = parse_object(text);
  if (!object) {
    return object.error();
  }
  const json::value* const keys = object->if_contains("keys");
  if (keys == nullptr) {
    return parse_jwk(*object, options);
  }
  auto set = parse_jwk_set(*keys, options);
  if (set && set->keys.empty()) {
    return Fault{set->skipped.empty() ? "there is no key"
                                      : "there is no key for tokens; " + set->skipped.front()};
  }
  return set;
}

// Frees what PEM_read_bio() has allocated, wiped if it might be secret.
struct PemFree {
  void operator()(char* text) const { OPENSSL_free(text); }
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};

// Returns the key that `bytes` are in DER, or nullptr. Bytes after it are refused too.
std::shared_ptr<EVP_PKEY> read_der(std::string_view label, const unsigned char* bytes, long size) {
  const unsigned char* end = bytes;
  EVP_PKEY* const key = label == "PUBLIC KEY" ? d2i_PUBKEY(nullptr, &end, size)
                                              : d2i_PublicKey(EVP_PKEY_RSA, nullptr, &end, size);
  if (key == nullptr) {
    return nullptr;
  }
  std::shared_ptr<EVP_PKEY> owned(key, EVP_PKEY_free);
  return end == bytes + size ? owned : nullptr;
}

Parsed<VerifyingKey> read_pem_key(std::string_view label,
                                  const unsigned char* bytes,
                                  long size,
                                  const KeySetOptions& options) {
  if (label.ends_with("PRIVATE KEY")) {
    return Fault{"is a private key; the hub needs the public one alone"};
  }
  if (label == "CERTIFICATE") {
    return Fault{"is a certificate; `openssl x509 -pubkey -noout` takes the key out of it"};
  }
  if (label != "PUBLIC KEY" && label != "RSA PUBLIC KEY") {
    return Fault{"is not a PUBLIC KEY"};
  }
  auto key = read_der(label, bytes, size);
  if (!key) {
    return Fault{"is not a public key in DER"};
  }
  const auto algorithm = algorithm_of(key.get(), options);
  if (!algorithm) {
    return Fault{"is not an RSA key, not Ed25519, and not of the curves P-256, P-384 and P-521"};
  }
  return VerifyingKey::make(*algorithm, std::move(key));
}

Parsed<KeySet> parse_pem(std::string_view text, const KeySetOptions& options) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  KeySet set;
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  while (PEM_read_bio(in.get(), &label, &header, &bytes, &size) == 1) {
    const std::unique_ptr<char, PemFree> label_owner(label);
    const std::unique_ptr<char, PemFree> header_owner(header);
    const std::unique_ptr<unsigned char, PemFree> bytes_owner(bytes);
    if (set.keys.size() == kKeysMax) {
      return Fault{fmt::format("there are more than {} keys", kKeysMax)};
    }
    auto key = read_pem_key(label, bytes, size, options);
    OPENSSL_cleanse(bytes, static_cast<std::size_t>(size));
    if (!key) {
      return Fault{fmt::format("PEM block {} {}", set.keys.size() + 1, key.error().message)};
    }
    set.keys.push_back(NamedKey{.key = std::move(*key)});
  }
  // The end of the text is an error to OpenSSL, too.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Fault{fmt::format("PEM block {} is damaged", set.keys.size() + 1)};
  }
  if (set.keys.empty()) {
    return Fault{"the first line of the PEM block is damaged"};
  }
  return set;
}

Fault too_long() {
  return Fault{fmt::format("this is longer than {} KiB", kKeySetBytesMax >> 10)};
}

}  // namespace

Parsed<KeySet> parse_key_set(std::string_view text, const KeySetOptions& options) {
  if (text.size() > kKeySetBytesMax) {
    return too_long();
  }
  const bool is_object =
      text.substr(0, text.find('{')).find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (text.find(kPemBegin) != std::string_view::npos && !is_object) {
    ERR_clear_error();
    auto set = parse_pem(text, options);
    ERR_clear_error();
    return set;
  }
  return parse_json_keys(text, options);
}

Parsed<KeySet> parse_published_set(std::string_view text, const KeySetOptions& options) {
  if (text.size() > kKeySetBytesMax) {
    return too_long();
  }
  const auto object = parse_object(text);
  if (!object) {
    return object.error();
  }
  const json::value* const keys = object->if_contains("keys");
  if (keys == nullptr) {
    return Fault{"this is not a JWK set: it has no keys"};
  }
  KeySetOptions published = options;
  published.takes_secrets = false;
  return parse_jwk_set(*keys, published);
}

Parsed<KeySet> read_key_set(const std::string& path, const KeySetOptions& options) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kKeySetBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return Fault{fmt::format("{}: {}", path, std::generic_category().message(errno))};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto set = parse_key_set(text, options);
  OPENSSL_cleanse(text.data(), text.size());
  if (!set) {
    return Fault{fmt::format("{}: {}", path, set.error().message)};
  }
  return set;
}

}  // namespace vrelo::auth
