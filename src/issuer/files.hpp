// SPDX-License-Identifier: Apache-2.0
// Small files of the issuer, written so that a reader sees all of one or nothing of it, after the
// loss of power too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tallycard/result.hpp>

namespace tallycard::files {

// Errc::file_missing; Errc::file_damaged when it is longer than `longest`.
Result<std::string> read(const std::string& path, std::size_t longest);

// Mode 0600. Errc::file_exists when there is such a file; it is never touched.
Result<void> create(const std::string& path, std::string_view bytes);

// A file that is being written beside its place. Without commit() nothing happens to the place.
class Replacement {
public:
    static Result<Replacement> begin(const std::string& path);
    Replacement(Replacement&& other) noexcept;
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    Replacement& operator=(Replacement&&) = delete;
    ~Replacement();

    Result<void> append(std::string_view bytes);
    const std::string& temporary() const { return temporary_; }
    Result<void> commit();         // takes the place of what is there
    Result<void> commit_if_new();  // Errc::file_exists

private:
    Replacement(std::string path, std::string temporary, int file)
        : path_(std::move(path)), temporary_(std::move(temporary)), file_(file)
    {
    }
    Result<void> finish_writing();

    std::string path_, temporary_;
    int file_;
};

Result<void> replace(const std::string& path, std::string_view bytes);

// Makes what happened to the names in this file's folder durable.
Result<void> sync_folder_of(const std::string& path);

// An error that says which file it is about.
template <class T>
Result<T> named(Result<T> result, const char* where)
{
    if (result) return result;
    auto error = result.error();
    error.where = where;
    return error;
}

}  // namespace tallycard::files
