// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/auth/grants.h"
#include "hub/base/topic_patterns.h"

namespace vrelo::auth {

// Returns what makes the patterns of grants, out of `patterns`.
//
// Lifetime: `patterns` must outlive what is returned.
// Threads: any.
CompilePattern pattern_compiler(base::TopicPatterns& patterns);

}  // namespace vrelo::auth
