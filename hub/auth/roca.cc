// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/roca.h"

#include <algorithm>
#include <array>

#include <openssl/bn.h>

namespace vrelo::auth {
namespace {

// The chip's primes are powers of 65537 modulo the product of the first small primes, and so are
// their products. These are the small primes of its shortest keys, but for 2.
constexpr std::array<BN_ULONG, 38> kPrimes{
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
constexpr BN_ULONG kGenerator = 65537;

bool is_power_of_generator(BN_ULONG value, BN_ULONG prime) {
  BN_ULONG power = 1;
  do {
    if (power == value) {
      return true;
    }
    power = power * kGenerator % prime;
  } while (power != 1);
  return false;
}

}  // namespace

bool has_roca_fingerprint(const BIGNUM& modulus) {
  return std::all_of(kPrimes.begin(), kPrimes.end(), [&modulus](BN_ULONG prime) {
    return is_power_of_generator(BN_mod_word(&modulus, prime), prime);
  });
}

}  // namespace vrelo::auth
