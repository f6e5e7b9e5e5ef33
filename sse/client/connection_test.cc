// SPDX-License-Identifier: Apache-2.0
#include "sse/client/connection.h"

#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "sse/client/alarm_testing.h"
#include "sse/client/server_testing.h"

namespace vrelo::sse::client {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using testing::HasSubstr;

// A certificate that is its own signer, with its key.
struct Certificate {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), X509_free};

  // `names`: as in "DNS:localhost,IP:127.0.0.1".
  explicit Certificate(const std::string& names) {
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_set_pubkey(x509.get(), key.get());
    X509_NAME* const name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), name);
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(x509.get(), key.get(), EVP_sha256());
  }
};

// A connection, and a server on the same loop that speaks TLS.
class TlsSession {
 public:
  using Stream = asio::ssl::stream<asio::ip::tcp::socket>;

  explicit TlsSession(const std::string& names) : certificate(names) {
    SSL_CTX_use_certificate(server_tls.native_handle(), certificate.x509.get());
    SSL_CTX_use_PrivateKey(server_tls.native_handle(), certificate.key.get());
  }

  void trust() {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(tls.native_handle()), certificate.x509.get());
  }

  Url url(std::string_view host) const {
    return {.is_tls = true,
            .host = std::string(host),
            .port = acceptor.local_endpoint().port(),
            .path = "/",
            .query = ""};
  }

  template <typename T>
  T await(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(loop, std::move(task),
                   [&result](std::exception_ptr, T value) { result.emplace(std::move(value)); });
    run_until(loop, [&result] { return result.has_value(); });
    return *std::move(result);
  }

  // Accepts one connection as it comes, and shakes hands.
  void serve() {
    acceptor.async_accept([this](const error_code& error, asio::ip::tcp::socket socket) {
      if (!error) {
        peer = std::make_unique<Stream>(std::move(socket), server_tls);
        peer->async_handshake(Stream::server,
                              [this](const error_code& result) { handshake = result; });
      }
    });
  }

  void send(std::string_view bytes) {
    bool is_sent = false;
    asio::async_write(*peer, asio::buffer(bytes),
                      [&is_sent](const auto&, std::size_t) { is_sent = true; });
    run_until(loop, [&is_sent] { return is_sent; });
  }

  std::string receive(std::size_t bytes) {
    std::string received(bytes, '\0');
    bool is_read = false;
    asio::async_read(*peer, asio::buffer(received),
                     [&is_read](const auto&, std::size_t) { is_read = true; });
    run_until(loop, [&is_read] { return is_read; });
    return received;
  }

  asio::io_context loop{1};
  asio::ip::tcp::acceptor acceptor{loop,
                                   asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  Certificate certificate;
  asio::ssl::context server_tls{asio::ssl::context::tls_server};
  asio::ssl::context tls = make_tls_context();
  ManualAlarms alarms;
  Network network{loop.get_executor(), tls, alarms.maker()};
  std::unique_ptr<Stream> peer;
  std::optional<error_code> handshake;
};

TEST(Connection, carries_bytes_both_ways_through_tls) {
  for (const std::string_view host : {"127.0.0.1", "localhost"}) {
    SCOPED_TRACE(host);
    TlsSession session("DNS:localhost,IP:127.0.0.1");
    session.trust();
    session.serve();
    Connection connection(session.network);
    ASSERT_EQ(session.await(connection.open(session.url(host))), error_code());
    EXPECT_EQ(session.await(connection.write("question")), error_code());
    EXPECT_EQ(session.receive(8), "question");
    session.send("answer");
    std::array<char, 16> buffer{};
    const auto bytes = session.await(connection.read_some(buffer));
    ASSERT_TRUE(bytes.has_value());
    EXPECT_EQ(std::string_view(buffer.data(), *bytes), "answer");
  }
}

TEST(Connection, tells_the_server_the_name_of_its_host_but_no_address) {
  TlsSession session("DNS:localhost,IP:127.0.0.1");
  session.trust();
  session.serve();
  Connection connection(session.network);
  ASSERT_EQ(session.await(connection.open(session.url("localhost"))), error_code());
  run_until(session.loop, [&session] { return session.handshake.has_value(); });
  EXPECT_STREQ(SSL_get_servername(session.peer->native_handle(), TLSEXT_NAMETYPE_host_name),
               "localhost");

  session.serve();
  Connection by_address(session.network);
  session.handshake.reset();
  ASSERT_EQ(session.await(by_address.open(session.url("127.0.0.1"))), error_code());
  run_until(session.loop, [&session] { return session.handshake.has_value(); });
  EXPECT_EQ(SSL_get_servername(session.peer->native_handle(), TLSEXT_NAMETYPE_host_name), nullptr);
}

TEST(Connection, refuses_a_certificate_that_nobody_vouches_for) {
  TlsSession session("DNS:localhost,IP:127.0.0.1");
  session.serve();
  Connection connection(session.network);
  const error_code error = session.await(connection.open(session.url("127.0.0.1")));
  EXPECT_TRUE(is_tls_error(error));
  EXPECT_THAT(error.message(), HasSubstr("self-signed certificate"));
}

TEST(Connection, refuses_the_certificate_of_another_host) {
  for (const std::string_view host : {"127.0.0.1", "localhost"}) {
    SCOPED_TRACE(host);
    TlsSession session("DNS:other.example,IP:127.0.0.2");
    session.trust();
    session.serve();
    Connection connection(session.network);
    const error_code error = session.await(connection.open(session.url(host)));
    EXPECT_TRUE(is_tls_error(error));
    EXPECT_THAT(error.message(), HasSubstr("mismatch"));
  }
}

TEST(Connection, takes_a_server_without_tls_for_a_tls_error) {
  asio::io_context loop(1);
  TestServer server(loop);
  ManualAlarms alarms;
  asio::ssl::context tls = make_tls_context();
  const Network network{loop.get_executor(), tls, alarms.maker()};
  Connection connection(network);
  std::optional<error_code> result;
  Url url = *parse_url(server.url());
  url.is_tls = true;
  asio::co_spawn(loop, connection.open(url),
                 [&result](std::exception_ptr, error_code error) { result = error; });
  Peer peer = server.accept();
  peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  run_until(loop, [&result] { return result.has_value(); });
  EXPECT_TRUE(is_tls_error(*result));
}

TEST(Connection, tells_an_end_of_tls_from_a_cut) {
  for (const bool is_cut : {false, true}) {
    SCOPED_TRACE(is_cut);
    TlsSession session("IP:127.0.0.1");
    session.trust();
    session.serve();
    Connection connection(session.network);
    ASSERT_EQ(session.await(connection.open(session.url("127.0.0.1"))), error_code());
    run_until(session.loop, [&session] { return session.handshake.has_value(); });
    if (is_cut) {
      session.peer->next_layer().shutdown(asio::socket_base::shutdown_send);
    } else {
      session.peer->async_shutdown([](const auto&) {});
    }
    std::array<char, 16> buffer{};
    const auto bytes = session.await(connection.read_some(buffer));
    EXPECT_EQ(bytes.has_value(), !is_cut);
    EXPECT_EQ(bytes.has_value() ? error_code() : bytes.error(),
              is_cut ? make_error_code(Errc::kCut) : error_code());
    EXPECT_EQ(bytes.has_value() ? *bytes : 0, 0U);
  }
}

TEST(Connection, does_not_open_after_it_was_closed) {
  TlsSession session("IP:127.0.0.1");
  Connection connection(session.network);
  connection.close();
  EXPECT_EQ(session.await(connection.open(session.url("127.0.0.1"))),
            asio::error::operation_aborted);
}

}  // namespace
}  // namespace vrelo::sse::client
