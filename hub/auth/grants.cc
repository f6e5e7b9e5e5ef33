// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/grants.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace vrelo::auth {
namespace {

struct Before {
  bool operator()(const TopicMatcher* a, const TopicMatcher* b) const {
    return std::tie(a->kind, a->text) < std::tie(b->kind, b->text);
  }
};

// In an order of their own, so that equal rights are written alike.
using Matchers = std::set<const TopicMatcher*, Before>;

Matchers matchers_of(const Claims& claims, bool Detail::*allows) {
  Matchers matchers;
  for (const Detail& detail : claims.details) {
    if (detail.*allows) {
      for (const TopicMatcher& matcher : detail.topics) {
        if (matcher.kind == TopicMatcher::Kind::kAll) {
          return {&matcher};
        }
        matchers.insert(&matcher);
      }
    }
  }
  return matchers;
}

// Writes the matchers so that no two sets are written alike, whatever is in their texts.
std::string written(const Matchers& matchers) {
  std::string text;
  for (const TopicMatcher* const matcher : matchers) {
    text += fmt::format("{}:{}:{};", static_cast<int>(matcher->kind), matcher->text.size(),
                        matcher->text);
  }
  return text;
}

Result<Grant::Topics> topics_of(const Matchers& matchers, const CompilePattern& compile) {
  Grant::Topics topics;
  for (const TopicMatcher* const matcher : matchers) {
    switch (matcher->kind) {
      case TopicMatcher::Kind::kAll:
        topics.all = true;
        break;
      case TopicMatcher::Kind::kExact:
        topics.listed.push_back(matcher->text);
        break;
      case TopicMatcher::Kind::kUrlPattern:
        topics.patterns.push_back(compile(*matcher));
        if (!topics.patterns.back()) {
          return Errc::kPatternRefused;
        }
        break;
      case TopicMatcher::Kind::kUriTemplate:
        topics.listed.push_back(matcher->text);
        if (auto pattern = compile(*matcher)) {
          topics.patterns.push_back(std::move(pattern));
        }
        break;
    }
  }
  return topics;
}

}  // namespace

Grants::Grants(CompilePattern compile) : compile_(std::move(compile)) {}

Result<GrantPtr> Grants::grant_of(const Claims& claims) {
  const Matchers publish = matchers_of(claims, &Detail::allows_publish);
  const Matchers subscribe = matchers_of(claims, &Detail::allows_subscribe);
  if (publish.empty() && subscribe.empty()) {
    return anonymous_;
  }
  std::string rights = written(publish) + "|" + written(subscribe);
  const auto found = known_.find(rights);
  if (found != known_.end()) {
    if (auto grant = found->second.lock()) {
      return grant;
    }
  }

  auto may_publish = topics_of(publish, compile_);
  auto may_read = topics_of(subscribe, compile_);
  if (!may_publish || !may_read) {
    return Errc::kPatternRefused;
  }
  auto grant = std::make_shared<const Grant>(
      Grant{.publish = std::move(*may_publish), .read_private = std::move(*may_read)});
  known_.insert_or_assign(std::move(rights), grant);
  forget_unused();
  return GrantPtr(std::move(grant));
}

// Looks through all of them each time their number has doubled.
void Grants::forget_unused() {
  constexpr std::size_t kSweepMin = 64;
  if (known_.size() < sweep_at_) {
    return;
  }
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSweepMin, 2 * known_.size());
}

}  // namespace vrelo::auth
