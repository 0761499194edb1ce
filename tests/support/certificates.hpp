// SPDX-License-Identifier: Apache-2.0
// Certificates as a client would have them: of an authority, or foreign, or out of date.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <tallycard/fixed_bytes.hpp>

namespace tallycard::test {

// A key and its certificate, both written to files; signs others where it is an authority.
class TestCertificate {
public:
    // From `starts` to `ends`, in seconds from now.
    TestCertificate(const std::string& path, const TestCertificate* authority, long starts = -3600,
                    long ends = 3600)
        : certificate_file(path + ".crt"),
          key_file(path + ".key"),
          key_(EVP_EC_gen("P-256")),
          certificate_(X509_new())
    {
        static long serial = 0;
        X509_set_version(certificate_, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate_), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(certificate_), starts);
        X509_gmtime_adj(X509_getm_notAfter(certificate_), ends);
        auto* name = X509_get_subject_name(certificate_);
        const auto text = "test " + std::to_string(serial);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
        X509_set_issuer_name(certificate_,
                             authority ? X509_get_subject_name(authority->certificate_) : name);
        X509_set_pubkey(certificate_, key_);
        auto* basic = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                          authority ? "critical,CA:FALSE" : "critical,CA:TRUE");
        X509_add_ext(certificate_, basic, -1);
        X509_EXTENSION_free(basic);
        X509_sign(certificate_, authority ? authority->key_ : key_, EVP_sha256());
        write();
    }
    TestCertificate(const TestCertificate&) = delete;
    TestCertificate& operator=(const TestCertificate&) = delete;
    ~TestCertificate()
    {
        X509_free(certificate_);
        EVP_PKEY_free(key_);
    }

    std::string digest() const
    {
        unsigned char bytes[32];
        unsigned size = 0;
        X509_digest(certificate_, EVP_sha256(), bytes, &size);
        return to_hex(bytes);
    }

    const std::string certificate_file, key_file;

private:
    void write() const
    {
        auto* first = std::fopen(certificate_file.c_str(), "w");
        auto* second = std::fopen(key_file.c_str(), "w");
        if (first == nullptr || second == nullptr) throw std::runtime_error("no certificate file");
        PEM_write_X509(first, certificate_);
        PEM_write_PrivateKey(second, key_, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(first);
        std::fclose(second);
    }

    EVP_PKEY* key_;
    X509* certificate_;
};

}  // namespace tallycard::test
