// SPDX-License-Identifier: Apache-2.0
#include "hub/api/policy.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "hub/auth/claims.h"

namespace vrelo::api {
namespace {

// Source: RFC 9728, section 2; draft-dunglas-mercure-08, section 9.2.
std::string metadata(const base::Settings& settings) {
  boost::json::array issuers;
  for (const base::IssuerSettings& issuer : settings.issuers) {
    if (issuer.name.starts_with("https://")) {
      const boost::json::value name(issuer.name);
      if (std::find(issuers.begin(), issuers.end(), name) == issuers.end()) {
        issuers.push_back(name);
      }
    }
  }
  boost::json::object document{{"resource", settings.audiences[0]},
                               {"authorization_details_types_supported",
                                boost::json::array{boost::json::string_view(
                                    auth::kDetailType.data(), auth::kDetailType.size())}},
                               {"bearer_methods_supported", boost::json::array{"header"}},
                               {"mercure_cookie", settings.cookie_name}};
  if (!issuers.empty()) {
    document["authorization_servers"] = std::move(issuers);
  }
  return boost::json::serialize(document);
}

// Returns "" where `resource` has no authority that the document could be at.
std::string metadata_url(std::string_view resource, std::string_view path) {
  const std::size_t scheme_end = resource.find("://");
  if (scheme_end == std::string_view::npos) {
    return {};
  }
  const std::string_view authority =
      resource.substr(0, resource.find_first_of("/?#", scheme_end + 3));
  const bool is_plain = std::all_of(authority.begin(), authority.end(), [](char c) {
    return c > ' ' && c < 127 && c != '"' && c != '\\';
  });
  return is_plain ? std::string(authority).append(path) : std::string();
}

}  // namespace

std::string public_url(const base::Settings& settings) {
  if (!settings.public_url.empty()) {
    return settings.public_url;
  }
  for (const std::string& audience : settings.audiences) {
    if (audience.starts_with("https://") || audience.starts_with("http://")) {
      return audience.substr(0, audience.find_first_of("/?#", audience.find("://") + 3)) +
             settings.path;
    }
  }
  return {};
}

std::shared_ptr<const Policy> make_policy(const base::Settings& settings,
                                          bool local_only,
                                          std::shared_ptr<const auth::TrustPolicy> trust) {
  auto policy = std::make_shared<Policy>();
  policy->path = settings.path;
  policy->request_limits.head_bytes_max = settings.header_bytes;
  policy->request_limits.body_bytes_max = settings.body_bytes;
  policy->request_time = settings.request_time;
  policy->topics_max = settings.topics;
  policy->topic_bytes_max = settings.topic_bytes;
  policy->selectors_max = settings.selectors;
  policy->selector_bytes_max = settings.selector_bytes;
  policy->hello = settings.hello;
  policy->stream_lifetime = settings.stream_lifetime;
  policy->allowed_origins = settings.allowed_origins;
  policy->allows_local_origins = local_only && trust == nullptr && settings.allowed_origins.empty();
  for (std::string host : settings.allowed_hosts) {
    if (host == "*") {
      policy->allows_any_host = true;
      continue;
    }
    if (host.ends_with('.')) {
      host.pop_back();
    }
    policy->allowed_hosts.push_back(std::move(host));
  }
  policy->has_admin_endpoints = local_only && settings.admin.kind == base::AdminPlace::Kind::kAuto;
  policy->tickets_path = settings.path + "/tickets";
  policy->public_url = public_url(settings);
  policy->has_set_public_url = !settings.public_url.empty();
  policy->mercure_0x = settings.mercure_0x;
  if (trust != nullptr && !settings.audiences.empty()) {
    policy->metadata = metadata(settings);
    // Source: RFC 9728, section 3.1.
    policy->metadata_path = "/.well-known/oauth-protected-resource" + settings.path;
    policy->metadata_url = metadata_url(settings.audiences[0], policy->metadata_path);
  }
  policy->trust = std::move(trust);
  return policy;
}

}  // namespace vrelo::api
