// SPDX-License-Identifier: Apache-2.0
#include "sse/client/connection.h"

#include <array>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

namespace vrelo::sse::client {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kAddressTime{5};

// What is wrong with a certificate, in OpenSSL's words: "self-signed certificate", "hostname
// mismatch".
class CertificateCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.certificate"; }

  std::string message(int value) const override {
    return std::string("the certificate is not accepted: ") + X509_verify_cert_error_string(value);
  }
};

const boost::system::error_category& certificate_category() {
  static const CertificateCategory category;
  return category;
}

// An IPv6 address stands in brackets in a URL, and nowhere else.
std::string bare_host(const Url& url) {
  return url.host.starts_with('[') ? url.host.substr(1, url.host.size() - 2) : url.host;
}

// Tells OpenSSL whom to expect, and the server whom it is expected to be.
error_code expect_host(SSL* ssl, const std::string& host) {
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  const bool is_set = not_an_address
                          ? X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1 &&
                                SSL_set_tlsext_host_name(ssl, host.c_str()) == 1
                          : X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  const bool is_named = SSL_set_alpn_protos(ssl, kHttp11.data(), kHttp11.size()) == 0;
  if (!is_set || !is_named) {
    return make_error_code(boost::system::errc::invalid_argument);
  }
  return {};
}

}  // namespace

asio::ssl::context make_tls_context() {
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  error_code without;  // no certificate is trusted then, and each connection says so
  context.set_default_verify_paths(without);
  return context;
}

bool is_tls_error(const error_code& error) {
  return error.category() == certificate_category() ||
         error.category() == asio::error::get_ssl_category();
}

Connection::Connection(const Network& network)
    : tls_context_(network.tls),
      resolver_(network.executor),
      socket_(network.executor),
      address_alarm_(network.make_alarm([this] {
        error_code ignored;
        socket_.close(ignored);
      })) {}

Task<error_code> Connection::open(Url url) {
  auto endpoints = co_await look_up(url);
  if (!endpoints) {
    co_return endpoints.error();
  }
  error_code error = co_await connect(*std::move(endpoints));
  if (!error && url.is_tls) {
    error = co_await shake_hands(url);
  }
  co_return error;
}

Task<Result<std::size_t>> Connection::read_some(std::span<char> into) {
  const auto buffer = asio::buffer(into.data(), into.size());
  error_code error;
  std::size_t bytes = 0;
  if (tls_) {
    std::tie(error, bytes) = co_await tls_->async_read_some(buffer, kAwait);
  } else {
    std::tie(error, bytes) = co_await socket_.async_read_some(buffer, kAwait);
  }
  if (error == asio::error::eof) {
    co_return std::size_t{0};
  }
  if (error == asio::ssl::error::stream_truncated) {
    co_return Errc::kCut;
  }
  if (error) {
    co_return error;
  }
  co_return bytes;
}

Task<error_code> Connection::write(std::string_view bytes) {
  const auto buffer = asio::buffer(bytes);
  error_code error;
  if (tls_) {
    std::tie(error, std::ignore) = co_await asio::async_write(*tls_, buffer, kAwait);
  } else {
    std::tie(error, std::ignore) = co_await asio::async_write(socket_, buffer, kAwait);
  }
  co_return error;
}

void Connection::close() {
  is_closed_ = true;
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

Task<Result<std::vector<Connection::Tcp::endpoint>>> Connection::look_up(Url url) {
  const std::string host = bare_host(url);
  std::vector<Tcp::endpoint> endpoints;
  error_code not_an_address;
  if (const auto address = asio::ip::make_address(host, not_an_address); !not_an_address) {
    endpoints.emplace_back(address, url.port);
    co_return endpoints;
  }
  const auto [error, entries] =
      co_await resolver_.async_resolve(host, std::to_string(url.port), kAwait);
  if (error) {
    co_return error;
  }
  for (const auto& entry : entries) {
    endpoints.push_back(entry.endpoint());
  }
  co_return endpoints;
}

Task<error_code> Connection::connect(std::vector<Tcp::endpoint> endpoints) {
  error_code error = asio::error::host_not_found;
  for (const Tcp::endpoint& endpoint : endpoints) {
    if (is_closed_) {
      co_return asio::error::operation_aborted;
    }
    if (endpoints.size() > 1) {
      address_alarm_->set(kAddressTime);
    }
    const auto [connect_error] = co_await socket_.async_connect(endpoint, kAwait);
    address_alarm_->cancel();
    error = connect_error;
    if (!error && !is_closed_) {
      // Without the one, small requests wait for acknowledgements; without the other, nothing tells
      // a client that only listens of a peer that is gone. Both are of help only, so errors are
      // not.
      error_code ignored;
      socket_.set_option(Tcp::no_delay(true), ignored);
      socket_.set_option(asio::socket_base::keep_alive(true), ignored);
      co_return error_code();
    }
    error_code ignored;
    socket_.close(ignored);
  }
  if (error == asio::error::operation_aborted && !is_closed_) {
    error = asio::error::timed_out;
  }
  co_return is_closed_ ? error_code(asio::error::operation_aborted) : error;
}

Task<error_code> Connection::shake_hands(Url url) {
  tls_.emplace(socket_, tls_context_);
  SSL* const ssl = tls_->native_handle();
  if (const error_code error = expect_host(ssl, bare_host(url))) {
    co_return error;
  }
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  if (const long verdict = SSL_get_verify_result(ssl); error && verdict != X509_V_OK) {
    co_return error_code(static_cast<int>(verdict), certificate_category());
  }
  co_return error;
}

}  // namespace vrelo::sse::client
