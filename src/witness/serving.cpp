// SPDX-License-Identifier: Apache-2.0
#include "serving.hpp"

namespace tallycard::witness {
namespace {

constexpr std::size_t longest_origin = 255;  // in the log
constexpr const char* plain = "text/plain; charset=utf-8";

service::Answer text(int status, std::string body, const char* type = plain)
{
    return {.status = status, .body = std::move(body), .type = type, .retry_after = {}};
}

const char* name(Verdict verdict)
{
    switch (verdict) {
    case Verdict::cosigned: return "cosigned";
    case Verdict::malformed: return "malformed";
    case Verdict::unknown_log: return "unknown log";
    case Verdict::not_signed: return "not signed by its log";
    case Verdict::other_size: return "continues another checkpoint";
    case Verdict::forked: return "fork";
    case Verdict::inconsistent: return "not consistent";
    case Verdict::failed: return "failed";
    }
    return "";
}

}  // namespace

service::Answer to_http(const Answer& answer)
{
    switch (answer.verdict) {
    case Verdict::cosigned: return text(200, answer.lines);
    case Verdict::malformed: return text(400, answer.error.message() + "\n");
    case Verdict::unknown_log: return text(404, "no log of this origin is witnessed here\n");
    case Verdict::not_signed: return text(403, "no key of this log signed the checkpoint\n");
    case Verdict::other_size:
    case Verdict::forked: return text(409, std::to_string(answer.size) + "\n", "text/x.tlog.size");
    case Verdict::inconsistent: return text(422, "the consistency proof does not verify\n");
    case Verdict::failed: break;
    }
    return text(500, "the witness's own memory failed; nothing was signed\n");
}

std::variant<service::Answer, service::Work> Serving::admit(const service::Head& head)
{
    if (head.path != "/add-checkpoint") return text(404, "there is no such path\n");
    if (head.method != "POST") return text(405, "this path has another method\n");
    return service::Work([this, address = head.peer->address](const std::string& body) {
        return answer(address, body);
    });
}

service::Answer Serving::answer(const std::string& address, const std::string& body)
{
    const auto answer = witness_->add_checkpoint(body);
    service::EventLog::Json fields{
        {"address", address},
        {"origin", answer.origin.substr(0, longest_origin)},  // a stranger's may be long
        {"size", answer.size}};
    // A fork is for people: what its log signed is the proof.
    if (!answer.note.empty()) fields["note"] = answer.note;
    if (answer.error.where[0] != '\0') fields["reason"] = answer.error.message();
    log_->write(name(answer.verdict), fields);
    return to_http(answer);
}

service::Answer Serving::overloaded()
{
    auto answer = text(503, "too many connections\n");
    answer.retry_after = 1;
    return answer;
}

service::Answer Serving::malformed(int status)
{
    log_->write("malformed", {{"status", status}});
    return text(status, "not a request as it should be\n");
}

}  // namespace tallycard::witness
