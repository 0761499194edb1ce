// SPDX-License-Identifier: Apache-2.0
// The card: virtual-card/applet and virtual-card/nvm; docs/protocol.md, section 6.

// Check 7 of EXECUTE: Applet::check_value(). PIN and amount limit are left out.
inline check_value(c, what)
{
    s = NEWEST(c);
    if
    :: IS_CREDIT(what) && card[c].slot[s].balance + AMOUNT(what) > MAX_BALANCE ->
        outcome = too_high
#ifndef FAULT_NO_FLOOR
    :: !IS_CREDIT(what) && card[c].slot[s].balance < AMOUNT(what) -> outcome = too_low
#endif
    :: else -> outcome = begun
    fi
}

// The third instruction, made from the log: Applet::answer_receipt().
inline answer_from_log(c, at)
{
    s = NEWEST(c);
    medium[c].third[at] = card[c].slot[s].chain[at % LOG];
    medium[c].after[at] = card[c].slot[s].after[at % LOG]
}

// EXECUTE of `what` with sequence at, a first instruction off the medium: Applet::execute().
inline execute(c, at, what)
{
    s = NEWEST(c);
    if
#ifndef FAULT_NO_SEQUENCE
    :: at <= card[c].slot[s].sequence ->
        if
#ifndef FAULT_NO_RESULT_AGAIN
        :: card[c].slot[s].sequence - at < LOG &&
           LAST_OF(card[c].slot[s].chain[at % LOG]) == what ->
            answer_from_log(c, at);
            outcome = again
#endif
        :: else -> outcome = not_next
        fi
    :: at > card[c].slot[s].sequence + 1 -> outcome = not_next
#else
    :: card[c].slot[s].sequence == MAX_SEQUENCE -> outcome = not_next
#endif
    :: else ->
        if
        :: NEEDS_REQUEST(what) && card[c].slot[s].request != what -> outcome = no_request
        :: else -> check_value(c, what)
        fi
    fi;
    if
    :: outcome == begun -> card[c].doing = what
    :: else
    fi
}

// PAY of `what`. It carries no signature and, as any terminal may, a nonce of its own; the same
// payment again is answered from the log, as by get_result(). Applet::pay().
inline pay(c, what)
{
    check_value(c, what);
    if
#ifndef FAULT_NO_OFFLINE_LIMIT
    :: outcome == begun && card[c].slot[s].offline == OFFLINE_LIMIT -> outcome = offline_limit
#endif
    :: else
    fi;
    if
    :: outcome == begun -> card[c].doing = what; payments--
    :: else
    fi
}

// REQUEST of `what`: Applet::request(). The request that is kept is answered again.
inline ask_for(c, what)
{
    check_value(c, what);
    if
    :: outcome == begun && card[c].slot[s].request == what ->
        k = card[c].slot[s].sequence + 1;
        medium[c].second[k] = medium[c].second[k] | BIT(what);
        outcome = again
    :: outcome == begun && card[c].slot[s].request != what ->
        card[c].doing = what;
        card[c].asking = 1;
        requests--
    :: else
    fi
}

// GET RESULT n.
inline get_result(c, at)
{
    s = NEWEST(c);
    if
#ifndef FAULT_NO_RESULT_AGAIN
    :: at <= card[c].slot[s].sequence && card[c].slot[s].sequence - at < LOG ->
        answer_from_log(c, at);
        outcome = was_sent
#endif
    :: else -> outcome = not_in_log
    fi
}

// The one atomic change, write by write: Applet::apply(), Applet::keep_request() and
// SlotNvm::commit(). It goes to the slot that is not current, and counts when the checksum is there;
// a slot is written in one call and may tear anywhere, so its fields are written one by one.
#define BALANCE_AFTER(c) (card[c].asking -> card[c].slot[s].balance : \
    (IS_CREDIT(card[c].doing) -> card[c].slot[s].balance + AMOUNT(card[c].doing) \
                               : card[c].slot[s].balance - AMOUNT(card[c].doing)))

inline write_balance(c)
{
    card[c].slot[d].balance = BALANCE_AFTER(c)
}
inline write_sequence(c)
{
    card[c].slot[d].sequence = card[c].slot[s].sequence + (card[c].asking -> 0 : 1)
}
inline write_counters(c)
{
    card[c].slot[d].request = (card[c].asking -> card[c].doing : NOTHING);
    card[c].slot[d].offline = (card[c].asking -> card[c].slot[s].offline
        : (KIND(card[c].doing) == PAYMENT -> card[c].slot[s].offline + 1 : 0))
}
// Signed before the change is made, from what was there before: the balance is in it.
inline write_log(c)
{
    for (i : 0 .. LOG - 1) {
        card[c].slot[d].chain[i] = card[c].slot[s].chain[i];
        card[c].slot[d].after[i] = card[c].slot[s].after[i]
    }
    if
    :: !card[c].asking ->
        x = (card[c].slot[s].sequence + 1) % LOG;
        card[c].slot[d].chain[x] = EXTEND(
            card[c].slot[s].chain[card[c].slot[s].sequence % LOG], card[c].doing);
        card[c].slot[d].after[x] = BALANCE_AFTER(c)
    :: else
    fi
}

inline forget_slot(c)
{
    card[c].slot[d].generation = 0;
    card[c].slot[d].balance = 0;
    card[c].slot[d].sequence = 0;
    card[c].slot[d].request = 0;
    card[c].slot[d].offline = 0;
    for (x : 0 .. LOG - 1) {
        card[c].slot[d].chain[x] = 0;
        card[c].slot[d].after[x] = 0
    }
}

// Power off, in the middle of a write or not: what is volatile is gone. A damaged slot may hold
// anything, and nobody reads it: zeros, to have fewer states.
inline power_fails(c)
{
    card[c].doing = NOTHING;
    card[c].asking = 0;
    for (d : 0 .. 1) {
        if
        :: !card[c].slot[d].intact ->
            forget_slot(c)
        :: else
        fi
    }
}

// The writes of one change; s is the slot that is current, d the one that is written.
#if defined(FAULT_BALANCE_FIRST)
#define WRITE_1(c) d = s; write_log(c)
#define WRITE_2(c) d = s; write_balance(c)
#define WRITE_3(c) d = s; write_counters(c); write_sequence(c)
#define WRITE_4(c) skip
#elif defined(FAULT_SEQUENCE_FIRST)
#define WRITE_1(c) d = s; write_log(c)
#define WRITE_2(c) d = s; write_counters(c); write_sequence(c)
#define WRITE_3(c) d = s; write_balance(c)
#define WRITE_4(c) skip
#elif defined(FAULT_NO_CHECKSUM)
#define WRITE_1(c) card[c].slot[d].generation = card[c].slot[s].generation + 1; write_balance(c)
#define WRITE_2(c) d = s; s = 1 - d; write_sequence(c)
#define WRITE_3(c) d = s; s = 1 - d; write_counters(c); write_log(c)
#define WRITE_4(c) skip
#else
#define WRITE_1(c) card[c].slot[d].intact = 0; write_balance(c)
#define WRITE_2(c) write_sequence(c)
#define WRITE_3(c) write_counters(c); write_log(c)
#define WRITE_4(c) card[c].slot[d].generation = card[c].slot[s].generation + 1; \
    card[c].slot[d].intact = 1
#endif
#define SLOTS(c) s = NEWEST(c); d = 1 - s

// Before each write the power may fail. The slots are read again at power-on. A walk, which chooses
// at random, would hardly get a change through: there the power fails once in six times.
#define OR_CHANGE(c, change) :: d_step { SLOTS(c); change; clear() }
#ifdef WALK
#define OR_WRITE(c, change) OR_CHANGE(c, change) OR_CHANGE(c, change) OR_CHANGE(c, change) \
    OR_CHANGE(c, change) OR_CHANGE(c, change)
#else
#define OR_WRITE(c, change) OR_CHANGE(c, change)
#endif
#define WRITE(c, k, change) \
    if \
    OR_WRITE(c, change) \
    :: d_step { power_fails(c); printf("EV cut %d %d\n", c, k); report(c); clear() }; goto end_idle \
    fi

// The answer leaves the card, or the power fails just before.
inline answer(c)
{
    s = NEWEST(c);
    k = card[c].slot[s].sequence + card[c].asking;
    if
    :: card[c].asking -> medium[c].second[k] = medium[c].second[k] | BIT(card[c].doing)
    :: else -> answer_from_log(c, k)
    fi;
    card[c].doing = NOTHING;
    card[c].asking = 0
}

// All of it, for a working terminal.
inline write_whole(c)
{
    SLOTS(c); WRITE_1(c);
    SLOTS(c); WRITE_2(c);
    SLOTS(c); WRITE_3(c);
    SLOTS(c); WRITE_4(c);
    answer(c)
}

inline pick_amount()
{
    amount = 1;
    do
    :: amount < AMOUNTS -> amount++
    :: break
    od
}
inline pick_sequence()
{
    n = 1;
    do
    :: n < MAX_SEQUENCE -> n++
    :: break
    od
}

// A walk would hardly ever come upon what is new.
inline pick_walking(next)
{
#ifdef WALK
    if
    :: next <= MAX_SEQUENCE -> n = next
    :: next <= MAX_SEQUENCE -> n = next
    :: true
    fi
#else
    skip
#endif
}

proctype card_process(byte c) provided (!over)
{
end_idle:
    do
    // EXECUTE of anything that the issuer ever signed for it, now or long ago.
    :: atomic {
        MAY_GO_ON && EXISTS(c) ->
        pick_sequence();
        pick_walking(card[c].slot[NEWEST(c)].sequence + 1);
        pick_amount();
        if
        :: operation = OPERATION(TOP_UP, amount)
        :: operation = OPERATION(CASH_OUT, amount)
        :: operation = OPERATION(TRANSFER_IN, amount)
        :: operation = OPERATION(TRANSFER_OUT, amount)
        :: operation = OPERATION(VOID, 0)
        fi;
        if
        :: medium[ID(c)].first[n] & BIT(operation) ->
            d_step {
                execute(c, n, operation);
                COUNT;
                printf("EV execute %d %d %d %d %e\n", c, n, KIND(operation), AMOUNT(operation),
                    outcome);
                report_idle(c);
                clear()
            };
            if
            :: !IDLE(c) -> goto writing
            :: else
            fi
        :: else -> d_step { clear() }
        fi
       }
    :: atomic {
        MAY_GO_ON && EXISTS(c) && payments > 0 &&
            card[c].slot[NEWEST(c)].sequence < MAX_SEQUENCE ->
        pick_amount();
        operation = OPERATION(PAYMENT, amount);
        d_step {
            pay(c, operation);
            COUNT;
            printf("EV pay %d %d %e\n", c, amount, outcome);
            report_idle(c);
            clear()
        };
        if
        :: !IDLE(c) -> goto writing
        :: else
        fi
       }
    :: atomic {
        // One that the card asked for and replaced it asks for no more with this sequence: it would
        // have another nonce.
        MAY_GO_ON && EXISTS(c) && requests > 0 &&
            card[c].slot[NEWEST(c)].sequence < MAX_SEQUENCE ->
        pick_amount();
        if
        :: operation = OPERATION(CASH_OUT, amount)
        :: operation = OPERATION(TRANSFER_IN, amount)
        :: operation = OPERATION(TRANSFER_OUT, amount)
        fi;
        n = card[c].slot[NEWEST(c)].sequence + 1;
        if
        :: !(medium[c].second[n] & BIT(operation)) ||
           card[c].slot[NEWEST(c)].request == operation ->
            d_step {
                ask_for(c, operation);
                COUNT;
                printf("EV request %d %d %d %e\n", c, KIND(operation), AMOUNT(operation), outcome);
                report_idle(c);
                clear()
            };
            if
            :: !IDLE(c) -> goto writing
            :: else
            fi
        :: else -> d_step { clear() }
        fi
       }
    :: atomic {
        MAY_GO_ON && EXISTS(c) ->
        pick_sequence();
        if
        :: n <= card[c].slot[NEWEST(c)].sequence && medium[c].third[n] == 0 ->
            d_step {
                get_result(c, n);
                COUNT;
                printf("EV result %d %d %e\n", c, n, outcome);
                report(c);
                clear()
            }
        :: else -> d_step { clear() }
        fi
       }
#ifdef FAULT_CLONED_CARD
    :: d_step {
        c == 1 && !cloned && IDLE(0) ->
        for (d : 0 .. 1) {
            card[1].slot[d].intact = card[0].slot[d].intact;
            card[1].slot[d].generation = card[0].slot[d].generation;
            card[1].slot[d].balance = card[0].slot[d].balance;
            card[1].slot[d].sequence = card[0].slot[d].sequence;
            card[1].slot[d].request = card[0].slot[d].request;
            card[1].slot[d].offline = card[0].slot[d].offline;
            for (i : 0 .. LOG - 1) {
                card[1].slot[d].chain[i] = card[0].slot[d].chain[i];
                card[1].slot[d].after[i] = card[0].slot[d].after[i]
            }
        }
        cloned = 1;
        printf("EV clone\n");
        clear()
       }
#endif
    od;

writing:
    WRITE(c, 1, WRITE_1(c));
    WRITE(c, 2, WRITE_2(c));
    WRITE(c, 3, WRITE_3(c));
    WRITE(c, 4, WRITE_4(c));
    // Cut here, the change is made and its answer is lost.
    if
    :: d_step { answer(c); printf("EV commit %d sent\n", c); report(c); clear() }
    :: d_step { power_fails(c); printf("EV commit %d lost\n", c); report(c); clear() }
    fi;
    goto end_idle
}
