// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "hub/auth/claims.h"
#include "hub/auth/errc.h"
#include "hub/auth/grant.h"

namespace vrelo::auth {

// Makes the pattern of a TopicMatcher that is a URL pattern or a URI template; nullptr: it is none,
// or none that can be run.
using CompilePattern = std::function<base::TopicPatternPtr(const TopicMatcher& matcher)>;

// Makes grants of claims, so that equal rights are one Grant as long as somebody has it.
//
// Threads: one, a shard's.
class Grants {
 public:
  explicit Grants(CompilePattern compile);

  Grants(const Grants&) = delete;
  Grants& operator=(const Grants&) = delete;

  // Returns what `claims` allow. A URI template also grants the topic that is written like it.
  //
  // Errors: kPatternRefused: one of the URL patterns.
  // Cost: compiles the patterns if there is no such Grant yet.
  Result<GrantPtr> grant_of(const Claims& claims);

  // Returns the Grant of who has no token: public events.
  const GrantPtr& anonymous() const { return anonymous_; }

  // How many Grants are known; some may be nobody's any more.
  std::size_t size() const { return known_.size(); }

 private:
  void forget_unused();

  CompilePattern compile_;
  GrantPtr anonymous_ = std::make_shared<const Grant>();
  std::map<std::string, std::weak_ptr<const Grant>> known_;  // by their rights, written out
  std::size_t sweep_at_ = 64;  // how many known_ holds when those that are nobody's are removed
};

}  // namespace vrelo::auth
