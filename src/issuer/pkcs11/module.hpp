// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>

#include <p11-kit/pkcs11.h>
#include <sys/types.h>

#include <tallycard/result.hpp>

namespace tallycard::pkcs11 {

// A PKCS#11 module in this process. A module is initialised once for a whole process, so the keys
// of one process share it, and it is finalised with the last of them; where the program has
// initialised it itself, it is left to the program. Thread-safe.
class Module {
public:
    // Errc::file_missing, Errc::file_rejected, Errc::token_failed.
    static Result<std::shared_ptr<Module>> open(const std::string& path);
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    ~Module();

    // Held while functions of the module are called: nobody initialises it anew meanwhile.
    using Use = std::shared_lock<std::shared_mutex>;
    Use use() { return Use(mutex_); }
    const CK_FUNCTION_LIST& functions() const { return *functions_; }

    // Initialises a module that somebody has finalised.
    Result<void> initialise();
    // Finalises it and initialises it, which is how some modules find their token again. Does
    // nothing while another key is in a call of it, or where the program initialised it.
    Result<void> restart();

private:
    Module(std::string path, CK_FUNCTION_LIST* functions);
    Result<void> initialise_locked();

    std::string path_;
    CK_FUNCTION_LIST* functions_;
    pid_t process_;
    bool ours_ = false;
    std::shared_mutex mutex_;
};

}  // namespace tallycard::pkcs11
