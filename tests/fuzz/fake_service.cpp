// SPDX-License-Identifier: Apache-2.0
#include "fake_service.hpp"

#include <algorithm>

#include "fake_service_state.hpp"
#include "fuzz.hpp"

namespace fuzz {

using fake::Lock, fake::state, fake::wake_all;

void FakeService::begin(std::uint64_t seed, std::uint32_t one_in, std::uint32_t longest_wait)
{
    const Lock lock(state().mutex);
    state().random = seed | 1;
    state().one_in = one_in;
    state().runs = true;
    state().longest_wait = longest_wait;
    state().failing = state().refused = 0;
    state().insertions = 0;
    state().readers.clear();
}

void FakeService::end()
{
    const Lock lock(state().mutex);
    FUZZ_CHECK(state().contexts.empty() && state().cards.empty());
}

void FakeService::plug(const std::string& reader)
{
    const Lock lock(state().mutex);
    state().readers[reader];
    wake_all();
}
void FakeService::unplug(const std::string& reader)
{
    const Lock lock(state().mutex);
    state().readers.erase(reader);
    wake_all();
}
void FakeService::insert(const std::string& reader)
{
    const Lock lock(state().mutex);
    const auto found = state().readers.find(reader);
    if (found == state().readers.end() || found->second.has_card) return;
    found->second.has_card = true;
    ++found->second.taps;
    ++state().insertions;
    wake_all();
}
void FakeService::remove(const std::string& reader)
{
    const Lock lock(state().mutex);
    const auto found = state().readers.find(reader);
    if (found == state().readers.end() || !found->second.has_card) return;
    found->second.has_card = false;
    ++found->second.taps;
    wake_all();
}
void FakeService::stop()
{
    const Lock lock(state().mutex);
    state().runs = false;
    wake_all();
}
void FakeService::start()
{
    const Lock lock(state().mutex);
    state().runs = true;
}
void FakeService::fail_no_more()
{
    const Lock lock(state().mutex);
    state().one_in = 0;
}
void FakeService::show(const std::string& reader, std::vector<Look> looks)
{
    const Lock lock(state().mutex);
    state().readers[reader].shown.assign(looks.begin(), looks.end());
    wake_all();
}
void FakeService::set(const std::string& reader, const Look& now)
{
    const Lock lock(state().mutex);
    auto& truth = state().readers[reader];
    truth.taps = now.counter;
    truth.has_card = now.has_card;
    truth.lacks_atr = now.lacks_atr;
    truth.is_unavailable = now.is_unavailable;
    wake_all();
}
void FakeService::hide_in_lists(const std::string& reader, int times)
{
    const Lock lock(state().mutex);
    state().readers[reader].hidden = times;
}
void FakeService::fail_by(LONG code, int times)
{
    const Lock lock(state().mutex);
    state().code = code;
    state().failing = times;
    wake_all();
}
void FakeService::fail_to_connect_by(LONG code, int times)
{
    const Lock lock(state().mutex);
    state().refusal = code;
    state().refused = times;
}
bool FakeService::was_odd_enough()
{
    const Lock lock(state().mutex);
    const auto is_odd = [](const auto& reader) {
        return !reader.second.shown.empty() || reader.second.hidden > 0;
    };
    return state().failing == 0 && state().refused == 0 &&
           std::ranges::none_of(state().readers, is_odd);
}
int FakeService::insertions()
{
    const Lock lock(state().mutex);
    return state().insertions;
}
int FakeService::status_calls()
{
    const Lock lock(state().mutex);
    return state().status_calls;
}
void FakeService::forget()
{
    const Lock lock(state().mutex);
    state().heard = false;
}
bool FakeService::was_heard()
{
    const Lock lock(state().mutex);
    return state().heard;
}

}  // namespace fuzz
