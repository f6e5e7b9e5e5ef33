// SPDX-License-Identifier: Apache-2.0
#include "hub/api/policy.h"

namespace vrelo::api {

std::shared_ptr<const Policy> make_policy(const base::Settings& settings, bool local_only) {
  auto policy = std::make_shared<Policy>();
  policy->request_limits.head_bytes_max = settings.header_bytes;
  policy->request_limits.body_bytes_max = settings.body_bytes;
  policy->request_time = settings.request_time;
  policy->topics_max = settings.topics;
  policy->topic_bytes_max = settings.topic_bytes;
  policy->selectors_max = settings.selectors;
  policy->selector_bytes_max = settings.selector_bytes;
  policy->hello = settings.hello;
  policy->allowed_origins = settings.allowed_origins;
  policy->allows_local_origins = local_only && settings.allowed_origins.empty();
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
  return policy;
}

}  // namespace vrelo::api
