// SPDX-License-Identifier: Apache-2.0
// The server's side of TLS: what it shows, and whose certificates it believes.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include <tallycard/result.hpp>

#include "http.hpp"

namespace tallycard::service::tls {

struct Files {
    std::string certificate, key;  // PEM; the certificate with its chain
    std::string client_authority;  // PEM; empty: no client certificates are asked for
};

using Context = std::shared_ptr<SSL_CTX>;

// Errc::file_missing, Errc::file_rejected; Errc::file_damaged where they are no PEM, or do not
// belong together.
Result<Context> open(const Files& files);

// Who showed what. A certificate that does not verify ends no handshake: the request is refused
// instead, by name, since a TLS alert tells nobody why.
Peer peer_of(SSL* ssl, std::string address);

// A key of its own, and a certificate for "localhost" and the addresses of loopback that this key
// signed, valid for ten years: two new files, the key's of mode 0600. Errc::file_exists.
Result<void> make_self_signed(const std::string& certificate, const std::string& key);

}  // namespace tallycard::service::tls
