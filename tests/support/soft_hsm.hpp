// SPDX-License-Identifier: Apache-2.0
// SoftHSM2 with a token in a folder of its own. What makes and looks at keys is pkcs11-tool.
#pragma once

#include <dlfcn.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <p11-kit/pkcs11.h>

#include <tallycard/passphrase.hpp>
#include <tallycard/pkcs11_uri.hpp>

#include "temporary_folder.hpp"

namespace tallycard::test {

// Runs a program and gives its output back.
inline std::string run_program(const std::string& command)
{
    std::string output;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
    if (::pclose(pipe) != 0) throw std::runtime_error(command + "\n" + output);
    return output;
}

// One at a time: where SoftHSM looks is said by the environment.
class SoftHsm {
public:
    static constexpr const char* pin_text = "24681012";

    SoftHsm()
    {
        std::filesystem::create_directory(tokens());
        std::ofstream(folder_.file("softhsm2.conf"))
            << "directories.tokendir = " << tokens().string() << "\nlog.level = ERROR\n";
        ::setenv("SOFTHSM2_CONF", folder_.file("softhsm2.conf").c_str(), 1);
        make_token("issuer");
    }
    ~SoftHsm() { ::unsetenv("SOFTHSM2_CONF"); }
    SoftHsm(const SoftHsm&) = delete;
    SoftHsm& operator=(const SoftHsm&) = delete;

    static void make_token(const std::string& label)
    {
        run_program("softhsm2-util --init-token --free --label " + label +
                    " --so-pin 87654321 --pin " + pin_text);
    }
    static std::string tool(const std::string& words)
    {
        return run_program("pkcs11-tool --module " TALLYCARD_SOFTHSM " " + words);
    }
    static std::string tool_logged_in(const std::string& words)
    {
        return tool("--login --pin " + std::string(pin_text) + " " + words);
    }
    static void make_key(const std::string& label, const std::string& id,
                         const std::string& type = "EC:edwards25519")
    {
        tool_logged_in("--keypairgen --key-type " + type + " --usage-sign --label " + label +
                       " --id " + id);
    }
    static Pkcs11Uri uri(const std::string& object, const std::string& token = "issuer")
    {
        return Pkcs11Uri::parse("pkcs11:token=" + token + ";object=" + object +
                                "?module-path=" TALLYCARD_SOFTHSM)
            .value();
    }
    static std::optional<Passphrase> pin(std::string text = pin_text)
    {
        return Passphrase::take(text).value();
    }
    // The module itself, as another library in the same process has it.
    static const CK_FUNCTION_LIST& functions()
    {
        void* library = ::dlopen(TALLYCARD_SOFTHSM, RTLD_NOW | RTLD_NODELETE);
        CK_FUNCTION_LIST* list = nullptr;
        reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"))(&list);
        return *list;
    }
    std::filesystem::path tokens() const { return folder_.path() / "tokens"; }
    const TemporaryFolder& folder() const { return folder_; }

private:
    TemporaryFolder folder_;
};

}  // namespace tallycard::test
