// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/errc.h"

#include <string>

#include "hub/auth/jws.h"

namespace vrelo::auth {
namespace {

const char* message_of(Errc errc) {
  switch (errc) {
    case Errc::kTokenTooLong:
      return "the token is longer than 8 KiB";
    case Errc::kNotThreeParts:
      return "the token does not have three parts";
    case Errc::kNotBase64Url:
      return "a part of the token is not base64url";
    case Errc::kNotJson:
      return "the token's header or payload is not JSON";
    case Errc::kNameTwice:
      return "the token has a name twice in one object";
    case Errc::kNumberNotFinite:
      return "the token has a number that is too large";
    case Errc::kNotAnObject:
      return "the token's header or payload is not an object";
    case Errc::kHeaderMalformed:
      return "the token's header has no alg, or a member that is not a text";
    case Errc::kKidTooLong:
      return "the token's kid is longer than 256 bytes";
    case Errc::kExtensionRefused:
      return "the token's header has crit, b64 or zip";
    case Errc::kTokenNested:
      return "the token holds another token";
    case Errc::kAlgorithmUnknown:
      return "the token's alg is none that is known";
    case Errc::kKeyUnknown:
      return "there is no key with the token's kid and alg";
    case Errc::kSignatureWrong:
      return "the token's signature is wrong";
  }
  return "unknown error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.auth"; }
  std::string message(int value) const override { return message_of(static_cast<Errc>(value)); }
};

}  // namespace

boost::system::error_code make_error_code(Errc errc) {
  static const Category category;
  return {static_cast<int>(errc), category};
}

}  // namespace vrelo::auth
