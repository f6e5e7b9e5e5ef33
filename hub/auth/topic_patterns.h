// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/auth/grants.h"
#include "hub/base/url_pattern.h"

namespace vrelo::auth {

// Returns what makes the patterns of grants: URL patterns out of `patterns`, and URI templates.
//
// Lifetime: `patterns` must outlive what is returned.
// Threads: any.
CompilePattern pattern_compiler(base::UrlPatterns& patterns);

}  // namespace vrelo::auth
