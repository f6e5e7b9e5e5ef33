// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/trust.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "hub/auth/key_set.h"
#include "hub/auth/openssl.h"

namespace vrelo::auth {
namespace {

// By which browsers have a token of 0.x. Source: draft-dunglas-mercure-07, section 6.
constexpr std::string_view kFormerCookie = "mercureAuthorization";

constexpr std::pair<std::string_view, Role> kRoles[] = {
    {"publish", Role::kPublish}, {"subscribe", Role::kSubscribe}, {"admin", Role::kAdmin}};

// The certificates of all whom a system trusts are about 200 KiB.
constexpr std::size_t kCertificatesBytesMax = std::size_t{1} << 20;

std::string_view name_of(Role role) {
  return std::find_if(std::begin(kRoles), std::end(kRoles),
                      [role](const auto& named) { return named.second == role; })
      ->first;
}

std::optional<Role> parse_role(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kRoles), std::end(kRoles),
                                         [name](const auto& role) { return role.first == name; });
  return found == std::end(kRoles) ? std::nullopt : std::optional(found->second);
}

// Adds the keys of a file to those of its issuer.
base::Parsed<void> add_keys(const std::string& path,
                            bool local_only,
                            Issuer& issuer,
                            Trust& trust) {
  auto set = read_key_set(path, key_set_options(issuer));
  if (!set) {
    return set.error();
  }
  for (NamedKey& key : set->keys) {
    if (!local_only && key.key.is_published()) {
      return base::Fault{path +
                         ": a secret that stands in published examples: whoever has read "
                         "them could sign for this hub"};
    }
    if (has_kid(issuer.keys, key.kid)) {
      return base::Fault{path + ": has a key with a kid that another of the issuer's keys has"};
    }
    issuer.keys.push_back(std::move(key));
  }
  for (const std::string& skipped : set->skipped) {
    trust.notes.push_back(fmt::format("{}: {}", path, skipped));
  }
  return {};
}

// Reads certificates, in PEM.
base::Parsed<std::string> read_certificates(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kCertificatesBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return base::Fault{fmt::format("{}: {}", path, std::generic_category().message(errno))};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kCertificatesBytesMax) {
    return base::Fault{
        fmt::format("{}: this is longer than {} KiB", path, kCertificatesBytesMax >> 10)};
  }
  const std::unique_ptr<BIO, Free<BIO_free>> in(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const std::unique_ptr<X509, Free<X509_free>> first(
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (first == nullptr) {
    return base::Fault{path + ": there is no certificate in PEM"};
  }
  return base::parsed(std::move(text));
}

base::Parsed<KeySourcePtr> read_key_source(const base::IssuerSettings& settings) {
  if (settings.jwks_url.empty()) {
    return KeySourcePtr();
  }
  auto url = base::parse_https_url(settings.jwks_url);
  if (!url) {
    return base::Fault{"jwks_url " + url.error().message};
  }
  KeySource source{.url = *std::move(url)};
  if (!settings.jwks_ca.empty()) {
    auto certificates = read_certificates(settings.jwks_ca);
    if (!certificates) {
      return base::Fault{"jwks_ca: " + certificates.error().message};
    }
    source.ca = *std::move(certificates);
  }
  return std::make_shared<const KeySource>(std::move(source));
}

base::Parsed<Issuer> read_issuer(const base::IssuerSettings& settings,
                                 bool takes_0x,
                                 bool local_only,
                                 Trust& trust) {
  Issuer issuer{.name = settings.name,
                .takes_mercure_claim = takes_0x && settings.mercure_claim,
                .token_lifetime = settings.token_lifetime,
                .limits = {.streams_max = settings.streams,
                           .publishes_per_second = settings.publishes_per_second,
                           .tickets_per_minute = settings.tickets_per_minute,
                           .tickets_unused = settings.tickets_unused}};
  for (const std::string& name : settings.roles) {
    const auto role = parse_role(name);
    if (!role) {
      return base::Fault{fmt::format("roles: \"{}\" is none of: publish, subscribe, admin", name)};
    }
    issuer.roles.push_back(*role);
  }
  for (const std::string& name : settings.algorithms) {
    const auto algorithm = parse_algorithm(name);
    if (!algorithm) {
      return base::Fault{fmt::format(
          "algorithms: \"{}\" is none of: HS, RS, PS or ES with 256, 384 or 512, and EdDSA", name)};
    }
    issuer.algorithms.push_back(*algorithm);
  }
  for (const std::string& path : settings.keys) {
    if (const auto added = add_keys(path, local_only, issuer, trust); !added) {
      return added.error();
    }
  }
  auto source = read_key_source(settings);
  if (!source) {
    return source.error();
  }
  issuer.key_source = *std::move(source);
  issuer.lacks_keys = issuer.key_source != nullptr;
  return issuer;
}

}  // namespace

base::Parsed<Trust> read_trust(const base::Settings& settings, bool local_only) {
  if (settings.issuers.empty()) {
    return Trust();
  }
  Trust trust;
  auto policy = std::make_shared<TrustPolicy>();
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) {
    auto issuer = read_issuer(settings.issuers[i], settings.mercure_0x, local_only, trust);
    if (!issuer) {
      return base::Fault{fmt::format("issuers[{}]: {}", i, issuer.error().message)};
    }
    policy->issuers.push_back(*std::move(issuer));
  }
  if (const auto untried = find_untried_key(policy->issuers)) {
    return base::Fault{fmt::format(
        "issuers[{}]: keys: one for {} would never be tried in the role {}: {} keys before it, of "
        "this and other issuers, have no kid, or the same; give keys a kid, as JWKs",
        untried->issuer, name_of(untried->algorithm), name_of(untried->role), kKeysTriedMax)};
  }
  const bool takes_former =
      std::any_of(policy->issuers.begin(), policy->issuers.end(),
                  [](const Issuer& issuer) { return issuer.takes_mercure_claim; });
  policy->token_rules = {.audiences = settings.audiences, .leeway = settings.clock_leeway};
  policy->credential_rules.cookie_name = settings.cookie_name;
  policy->credential_rules.takes_query_token = takes_former;
  policy->credential_rules.former_cookie_name = takes_former ? kFormerCookie : "";
  policy->allows_anonymous = settings.anonymous;
  trust.policy = std::move(policy);
  return trust;
}

}  // namespace vrelo::auth
