// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <exception>
#include <string>
#include <thread>

#include "../support/card_program.hpp"
#include "input.hpp"

namespace fuzz {

// Answers what is asked, one after the other, until it has nothing left.
class SaidProgram {
public:
    SaidProgram(const std::string& path, Input& input) : program_(testing::CardProgram::at(path))
    {
        for (auto left = 1 + input.below(6); left > 0; --left) answers_.push_back(answer(input));
        stays_ = input.one_in(16);
        thread_ = std::thread([this] { run(); });
    }
    SaidProgram(const SaidProgram&) = delete;
    SaidProgram& operator=(const SaidProgram&) = delete;
    ~SaidProgram()
    {
        program_.hang_up();
        thread_.join();
    }

private:
    static constexpr std::uint8_t atr_question = 4;

    static Bytes answer(Input& input)
    {
        const auto how = input.byte();
        if (how < 0x60) return testing::CardProgram::framed({0x3B, 0x00});
        const auto given = input.bytes(how % 64u);
        Bytes bytes(given.begin(), given.end());
        return how < 0xC0 ? testing::CardProgram::framed(bytes) : bytes;
    }

    void run()
    {
        for (;;) {
            const auto question = program_.receive_message();
            if (question.empty()) return;
            if (question.size() == 1 && question[0] != atr_question) continue;
            if (answers_.empty()) break;
            const auto answer = answers_.front();
            answers_.pop_front();
            try {
                if (!answer.empty()) program_.send(answer);
            } catch (const std::exception&) {
                return;
            }
        }
        if (stays_)
            program_.wait_for_hang_up();
        else
            program_.hang_up();
    }

    testing::CardProgram program_;
    std::deque<Bytes> answers_;
    bool stays_ = false;
    std::thread thread_;
};

}  // namespace fuzz
