// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../service/event_log.hpp"
#include "../service/http.hpp"
#include "witness.hpp"

namespace tallycard::witness {

// What HTTP says of an answer (C2SP tlog-witness).
service::Answer to_http(const Answer& answer);

// POST /add-checkpoint, and nothing else. The witness and the log must outlive it. Thread-safe.
class Serving final : public service::Application {
public:
    Serving(Witness& witness, service::EventLog& log) : witness_(&witness), log_(&log) {}
    std::variant<service::Answer, service::Work> admit(const service::Head& head) override;
    service::Answer overloaded() override;
    service::Answer malformed(int status) override;

private:
    service::Answer answer(const std::string& address, const std::string& body);
    Witness* witness_;
    service::EventLog* log_;
};

}  // namespace tallycard::witness
