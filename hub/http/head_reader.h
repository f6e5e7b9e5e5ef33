// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::http {

inline constexpr std::string_view kContentLength = "Content-Length";
inline constexpr std::string_view kTransferEncoding = "Transfer-Encoding";

// Has Beast read one head, and notes what the checks after it need to know.
//
// Lifetime: the views are as long-lived as the head.
class HeadReader final : public boost::beast::http::basic_parser<true> {
 public:
  HeadReader(Request& request, std::size_t fields_max);

  // Reads a whole head into the request. Errors: 400, 431.
  std::optional<Problem> read(std::string_view head);

  std::string_view target;
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  std::string_view encoding;
  std::string_view length;
  bool expects_continue = false;
  bool expects_other = false;

 private:
  using error_code = boost::beast::error_code;
  using verb = boost::beast::http::verb;
  using field = boost::beast::http::field;
  using text = boost::beast::string_view;

  void on_request_impl(
      verb method, text method_name, text target_text, int version, error_code&) override;
  void on_field_impl(field known_name, text name, text value, error_code& error) override;
  void on_response_impl(int, text, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(text, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  Request& request_;
  const std::size_t fields_max_;
  bool too_many_fields_ = false;
};

}  // namespace vrelo::http
