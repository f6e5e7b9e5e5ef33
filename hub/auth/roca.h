// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

namespace vrelo::auth {

// Returns whether an RSA modulus bears the fingerprint of keys made by a faulty chip, whose private
// half can be computed from the public one (CVE-2017-15361). A sound modulus bears it by chance
// once in 2^27, or less often.
//
// Source: Nemec and others, The Return of Coppersmith's Attack, CCS 2017, section 2.3.
bool has_roca_fingerprint(const BIGNUM& modulus);

}  // namespace vrelo::auth
