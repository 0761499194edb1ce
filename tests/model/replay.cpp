// SPDX-License-Identifier: Apache-2.0
// replay WALK...: drives the real card and platform with random walks of the model (walk.sh) and
// compares every outcome, balance, sequence and account with the model's, event by event. I18.
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "replay_world.hpp"

namespace {

using Seen = std::map<std::string, int>;

// What a set of walks has to have met, or it shows nothing.
constexpr const char* rare[] = {"execute again",
                                "execute begun",
                                "execute no_request",
                                "execute not_next",
                                "pay begun",
                                "pay offline_limit",
                                "pay too_low",
                                "request again",
                                "request begun",
                                "request too_high",
                                "request too_low",
                                "result was_sent",
                                "cut",
                                "commit lost",
                                "commit sent",
                                "authorise busy",
                                "authorise signed_first",
                                "authorise too_high",
                                "transfer busy",
                                "transfer no_funds",
                                "transfer signed_first",
                                "transfer unsettled",
                                "transfer wrong_sequence",
                                "void again",
                                "void nothing_pending",
                                "void signed_first",
                                "settle again",
                                "settle was_kept",
                                "settle was_settled",
                                "resolve"};

std::vector<std::string> words_of(const std::string& line)
{
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

testing::ReplayWorld::Settings settings_of(const std::vector<std::string>& words)
{
    return {.start = std::stoll(words.at(1)),
            .maximum_balance = std::stoll(words.at(2)),
            .offline_payments = static_cast<std::uint16_t>(std::stoul(words.at(3)))};
}

// Of one line; the first word says what it is. Other lines are spin's own.
void follow(std::optional<testing::ReplayWorld>& world, std::vector<std::string> words, Seen& seen)
{
    if (words.empty()) return;
    const auto tag = words.front();
    if (tag == "BROKEN") throw std::runtime_error("the model itself is broken");
    if (tag == "WORLD") world.emplace(settings_of(words));
    if (tag != "EV" && tag != "ST") return;
    words.erase(words.begin());
    if (tag == "EV")
        ++seen[world.value().happen(words)];
    else if (words.at(0) == "card")
        world.value().check_card(words);
    else
        world.value().check_books(words);
}

bool replay(const char* path, Seen& seen)
{
    std::ifstream walk(path);
    std::optional<testing::ReplayWorld> world;
    std::string line, event;
    int number = 0;
    const int before = seen["resolve"];
    try {
        while (std::getline(walk, line)) {
            ++number;
            if (line.find("EV ") != std::string::npos) event = line;
            follow(world, words_of(line), seen);
        }
        if (seen["resolve"] == before) throw std::runtime_error("not a whole walk");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s:%d: %s\n  after:%s\n", path, number, error.what(), event.c_str());
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv)
{
    Seen seen;
    bool good = argc > 1;
    for (int i = 1; i < argc; ++i) good = replay(argv[i], seen) && good;
    int events = 0;
    for (const auto& [name, count] : seen) {
        std::printf("%6d %s\n", count, name.c_str());
        events += count;
    }
    std::printf("%6d events in %d walks\n", events, argc - 1);
    for (const auto* name : rare) {
        if (seen.contains(name)) continue;
        std::fprintf(stderr, "no walk has met: %s\n", name);
        good = false;
    }
    return good ? 0 : 1;
}
