// SPDX-License-Identifier: Apache-2.0
#include "module.hpp"

#include <cerrno>
#include <map>
#include <mutex>

#include <dlfcn.h>
#include <unistd.h>

#include "error.hpp"

namespace tallycard::pkcs11 {
namespace {

// The modules that are open: one of each, since C_Initialize and C_Finalize are for a process.
struct Registry {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<Module>> modules;
};

Registry& registry()
{
    static Registry open;
    return open;
}

Result<CK_FUNCTION_LIST*> load(const std::string& path)
{
    if (::access(path.c_str(), F_OK) != 0)
        return Error{.code = Errc::file_missing, .where = "PKCS#11 module"};
    // Never unloaded: what a module leaves behind, as threads and handlers, stays valid.
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr)
        return Error{.code = Errc::file_rejected, .detail = ENOEXEC, .where = "PKCS#11 module"};
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST* functions = nullptr;
    if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr)
        return Error{.code = Errc::file_rejected, .detail = ENOEXEC, .where = "PKCS#11 module"};
    return functions;
}

}  // namespace

Module::Module(std::string path, CK_FUNCTION_LIST* functions)
    : path_(std::move(path)), functions_(functions), process_(::getpid())
{
}

Module::~Module()
{
    if (ours_ && process_ == ::getpid()) functions_->C_Finalize(nullptr);
}

Result<std::shared_ptr<Module>> Module::open(const std::string& path)
{
    auto& [mutex, modules] = registry();
    const std::lock_guard lock(mutex);
    auto& place = modules[path];
    if (auto module = place.lock(); module && module->process_ == ::getpid()) {
        if (const auto done = module->initialise(); !done) return done.error();
        return module;
    }
    const auto functions = load(path);
    if (!functions) return functions.error();
    std::shared_ptr<Module> module(new Module(path, *functions));
    if (const auto done = module->initialise(); !done) return done.error();
    place = module;
    return module;
}

Result<void> Module::initialise_locked()
{
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const auto code = functions_->C_Initialize(&arguments);
    if (code == CKR_CRYPTOKI_ALREADY_INITIALIZED) return {};
    if (code != CKR_OK) return error_of(code, "C_Initialize");
    ours_ = true;
    return {};
}

Result<void> Module::initialise()
{
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return {};  // it is in use, and so is initialised
    return initialise_locked();
}

Result<void> Module::restart()
{
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || !ours_) return {};
    functions_->C_Finalize(nullptr);
    ours_ = false;
    return initialise_locked();
}

}  // namespace tallycard::pkcs11
