// SPDX-License-Identifier: Apache-2.0
#include "hub/net/https_get.h"

#include <cassert>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "hub/net/look_up.h"

namespace vrelo::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using base::Fault;
using boost::system::error_code;
using std::chrono_literals::operator""s;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable_t<base::Executor>());

// How long an address of a server has to answer if it has another one.
constexpr std::chrono::seconds kAddressTime = 2s;

constexpr std::uint32_t kHeadBytesMax = 16 << 10;
constexpr std::size_t kReadBytes = std::size_t{32} << 10;

// An IPv6 address stands in brackets in a URL, and nowhere else.
std::string bare_host(const base::HttpsUrl& url) {
  return url.host.starts_with('[') ? url.host.substr(1, url.host.size() - 2) : url.host;
}

// Tells OpenSSL whom to expect, and the server whom it is expected to be.
bool expect_host(SSL* ssl, const std::string& host) {
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  if (!not_an_address) {
    return X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  }
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

// One request. Its coroutine owns it; the Transfer may end it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(base::Executor executor, HttpsRequest request, Fetched fetched)
      : executor_(executor),
        request_(std::move(request)),
        fetched_(std::move(fetched)),
        timer_(executor, Timer::time_point::max()),
        socket_(executor) {}

  static base::Task<void> run(std::shared_ptr<Session> session) {
    co_await asio::post(session->executor_, asio::use_awaitable_t<base::Executor>());
    if (session->fetched_ == nullptr) {
      co_return;
    }
    base::Parsed<std::string> result = co_await session->fetch();
    if (const Fetched fetched = std::exchange(session->fetched_, nullptr)) {
      fetched(std::move(result));
    }
  }

  void end() {
    fetched_ = nullptr;
    look_up_.reset();
    timer_.cancel();
    close();
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, base::Executor>;
  using Socket = asio::basic_stream_socket<asio::ip::tcp, base::Executor>;

  base::Task<base::Parsed<std::string>> fetch() {
    if (const auto fault = make_tls()) {
      co_return *fault;
    }
    auto addresses = co_await look_up();
    if (!addresses) {
      co_return Fault{
          fmt::format("the look-up of {}: {}", request_.url.host, addresses.error().message())};
    }
    if (const error_code error = co_await connect(*std::move(addresses))) {
      co_return Fault{"cannot connect: " + error.message()};
    }
    if (const auto fault = co_await shake_hands()) {
      co_return *fault;
    }
    co_return co_await ask();
  }

  std::optional<Fault> make_tls() {
    error_code error;
    try {
      tls_.emplace(asio::ssl::context::tls_client);
      stream_.emplace(socket_, *tls_);
    } catch (const boost::system::system_error& thrown) {
      return Fault{"TLS: " + thrown.code().message()};
    }
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    if (request_.ca.empty()) {
      tls_->set_default_verify_paths(error);
    } else {
      tls_->add_certificate_authority(asio::buffer(request_.ca), error);
    }
    if (error) {
      return Fault{"cannot read whom to trust: " + error.message()};
    }
    SSL* const ssl = stream_->native_handle();
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    if (!expect_host(ssl, bare_host(request_.url))) {
      return Fault{"OpenSSL does not take the host's name"};
    }
    return std::nullopt;
  }

  base::Task<boost::system::result<LookUp::Addresses>> look_up() {
    std::optional<boost::system::result<LookUp::Addresses>> result;
    look_up_.emplace(executor_, bare_host(request_.url), request_.url.port,
                     [this, &result](boost::system::result<LookUp::Addresses> found) {
                       result = std::move(found);
                       timer_.cancel();
                     });
    co_await timer_.async_wait(kAwait);
    look_up_.reset();
    if (!result) {
      co_return error_code(asio::error::operation_aborted);
    }
    co_return *std::move(result);
  }

  // Connects to the first address that answers.
  base::Task<error_code> connect(LookUp::Addresses addresses) {
    error_code error = asio::error::host_not_found;
    for (std::size_t i = 0; i < addresses.size() && fetched_ != nullptr; ++i) {
      if (i + 1 < addresses.size()) {
        timer_.expires_after(kAddressTime);
        timer_.async_wait([weak = weak_from_this(), i](const error_code& cancelled) {
          const auto session = weak.lock();
          if (session != nullptr && !cancelled && session->connecting_to_ == i) {
            session->close();
          }
        });
      }
      connecting_to_ = i;
      std::tie(error) = co_await socket_.async_connect(addresses[i], kAwait);
      connecting_to_.reset();
      timer_.cancel();
      if (!error) {
        break;
      }
      close();
    }
    co_return error;
  }

  base::Task<std::optional<Fault>> shake_hands() {
    const auto [error] = co_await stream_->async_handshake(asio::ssl::stream_base::client, kAwait);
    if (!error) {
      co_return std::nullopt;
    }
    const long verdict = SSL_get_verify_result(stream_->native_handle());
    co_return Fault{verdict != X509_V_OK ? std::string("its certificate is not accepted: ") +
                                               X509_verify_cert_error_string(verdict)
                                         : "TLS: " + error.message()};
  }

  base::Task<base::Parsed<std::string>> ask() {
    http::request<http::empty_body> question(http::verb::get, target(), 11);
    question.set(http::field::host, base::authority_of(request_.url));
    question.set(http::field::user_agent, "vrelo");
    question.set(http::field::accept, request_.accept);
    question.set(http::field::accept_encoding, "identity");
    question.set(http::field::connection, "close");
    const auto [unsent, sent] = co_await http::async_write(*stream_, question, kAwait);
    if (unsent) {
      co_return Fault{"cannot send the request: " + unsent.message()};
    }
    http::response_parser<http::string_body> parser;
    parser.header_limit(kHeadBytesMax);
    parser.body_limit(request_.body_bytes_max);
    boost::beast::flat_buffer buffer(kReadBytes);
    const auto [no_head, head] = co_await http::async_read_header(*stream_, buffer, parser, kAwait);
    if (no_head) {
      co_return unread(no_head);
    }
    if (const auto fault = judge(parser.get())) {
      co_return *fault;
    }
    const auto [no_body, body] = co_await http::async_read(*stream_, buffer, parser, kAwait);
    if (no_body) {
      co_return unread(no_body);
    }
    co_return base::parsed(std::move(parser.get().body()));
  }

  std::string target() const { return request_.url.path + request_.url.query; }

  Fault unread(const error_code& error) const {
    if (error == http::error::body_limit) {
      return Fault{fmt::format("its answer is longer than {} KiB", request_.body_bytes_max >> 10)};
    }
    return Fault{"cannot read its answer: " + error.message()};
  }

  static std::optional<Fault> judge(const http::response<http::string_body>& answer) {
    const unsigned status = answer.result_int();
    if (status >= 300 && status < 400) {
      return Fault{fmt::format("it answers {}, and redirects are not followed", status)};
    }
    if (status != 200) {
      return Fault{fmt::format("it answers {}", status)};
    }
    const auto encoding = answer.find(http::field::content_encoding);
    if (encoding != answer.end() && encoding->value() != "identity") {
      return Fault{"its answer has a Content-Encoding, which was not asked for"};
    }
    return std::nullopt;
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  const base::Executor executor_;
  const HttpsRequest request_;
  Fetched fetched_;  // nullptr: nobody waits any more
  std::optional<LookUp> look_up_;
  Timer timer_;
  std::optional<std::size_t> connecting_to_;  // the address
  Socket socket_;
  std::optional<asio::ssl::context> tls_;
  std::optional<asio::ssl::stream<Socket&>> stream_;  // over socket_
};

class HttpsTransfer final : public Transfer {
 public:
  explicit HttpsTransfer(std::weak_ptr<Session> session) : session_(std::move(session)) {}
  ~HttpsTransfer() override {
    if (const auto session = session_.lock()) {
      session->end();
    }
  }

  HttpsTransfer(const HttpsTransfer&) = delete;
  HttpsTransfer& operator=(const HttpsTransfer&) = delete;

 private:
  const std::weak_ptr<Session> session_;
};

}  // namespace

std::unique_ptr<Transfer> https_get(base::Executor executor,
                                    HttpsRequest request,
                                    Fetched fetched) {
  const auto session = std::make_shared<Session>(executor, std::move(request), std::move(fetched));
  asio::co_spawn(executor, Session::run(session),
                 [](const std::exception_ptr& error) { assert(error == nullptr); });
  return std::make_unique<HttpsTransfer>(session);
}

}  // namespace vrelo::net
