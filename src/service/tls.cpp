// SPDX-License-Identifier: Apache-2.0
#include "tls.hpp"

#include <array>
#include <cerrno>

#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../issuer/files.hpp"

namespace tallycard::service::tls {
namespace {

Error damaged(const char* where)
{
    ERR_clear_error();
    return {.code = Errc::file_damaged, .where = where};
}

Result<void> check_readable(const std::string& path, const char* where)
{
    if (::access(path.c_str(), R_OK) == 0) return {};
    const auto code = errno;
    if (code == ENOENT) return Error{.code = Errc::file_missing, .where = where};
    return Error{
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(code), .where = where};
}

// Where the first fault of a chain is kept: later ones follow from it.
int fault_index()
{
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

const char* name_of(int fault)
{
    switch (fault) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "client certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "client certificate is not valid yet";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "client certificate is of a foreign authority";
    default: return "client certificate does not verify";
    }
}

int note_fault(int ok, X509_STORE_CTX* store)
{
    if (ok == 1) return 1;
    auto* const ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (SSL_get_ex_data(ssl, fault_index()) == nullptr) {
        const auto* fault = name_of(X509_STORE_CTX_get_error(store));
        // A literal: OpenSSL only keeps the pointer, and we only read it.
        SSL_set_ex_data(ssl, fault_index(), const_cast<char*>(fault));
    }
    return 1;
}

void harden(SSL_CTX* context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Without resumption every connection shows its certificate afresh.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_read_ahead(context, 1);  // a record with one call, not its head with another
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY |
                                  SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

Result<void> believe(SSL_CTX* context, const std::string& authority)
{
    if (SSL_CTX_load_verify_file(context, authority.c_str()) != 1)
        return damaged("certificates of the client authority");
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authority.c_str()));
    (void)fault_index();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_fault);
    return {};
}

using KeyPair = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate509 = std::unique_ptr<X509, decltype(&X509_free)>;

bool add_extension(X509* certificate, int which, const char* value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, which, value);
    if (extension == nullptr) return false;
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

bool fill(X509* certificate, EVP_PKEY* key)
{
    constexpr long ten_years = 3650L * 24 * 3600;
    auto* const name = X509_get_subject_name(certificate);
    const auto* const text = reinterpret_cast<const unsigned char*>("tallycard-issuerd");
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), ten_years) != nullptr &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
           // Tells several of them apart in one file of authorities: their names are the same.
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_authority_key_identifier, "keyid:always") &&
           X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string text_in(BIO* memory)
{
    char* text = nullptr;
    const auto size = BIO_get_mem_data(memory, &text);
    return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

Result<Context> open(const Files& files)
{
    if (auto there = check_readable(files.certificate, "certificate of the service"); !there)
        return there.error();
    if (auto there = check_readable(files.key, "key of the service's certificate"); !there)
        return there.error();
    Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    harden(context.get());
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
        return damaged("certificate of the service");
    if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1)
        return damaged("key of the service's certificate");
    if (files.client_authority.empty()) return context;
    const auto* const where = "certificates of the client authority";
    if (auto there = check_readable(files.client_authority, where); !there) return there.error();
    if (auto believed = believe(context.get(), files.client_authority); !believed)
        return believed.error();
    return context;
}

Peer peer_of(SSL* ssl, std::string address)
{
    Peer peer{.address = std::move(address), .certificate = {}, .certificate_fault = nullptr};
    const auto* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) return peer;
    std::array<std::uint8_t, Digest::size> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1)
        peer.certificate = Digest(digest);
    peer.certificate_fault = static_cast<const char*>(SSL_get_ex_data(ssl, fault_index()));
    return peer;
}

Result<void> make_self_signed(const std::string& certificate, const std::string& key)
{
    const KeyPair pair(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const Certificate509 made(X509_new(), X509_free);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> first(BIO_new(BIO_s_mem()), BIO_free_all);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> second(BIO_new(BIO_s_secmem()),
                                                               BIO_free_all);
    const bool done = pair && made && first && second && fill(made.get(), pair.get()) &&
                      PEM_write_bio_X509(first.get(), made.get()) == 1 &&
                      PEM_write_bio_PrivateKey(second.get(), pair.get(), nullptr, nullptr, 0,
                                               nullptr, nullptr) == 1;
    if (!done) return damaged("certificate of its own");
    if (auto created = files::create(key, text_in(second.get())); !created) return created;
    return files::create(certificate, text_in(first.get()));
}

}  // namespace tallycard::service::tls
