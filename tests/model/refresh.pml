/* A family of refresh tokens, one of which two callers hold: the owner, whose answers get lost, and a thief (DECISIONS 16).
 * The grace is on: a spent token may be presented once more while its successor was not used.
 *   LOCK        one statement reads the row and names its successor
 *   REUSE       a spent token ends its family
 *   GRACE_ONCE  the repetition uses the successor up, so the next one is a reuse
 * TRACE lets another process say which requests and answers are seen, in order.
 */
#ifndef TRIES
#define MOST 6        /* tokens of the family, number 1 the first */
#define TRIES 2
#endif
#define CALLERS 2

mtype = { PAIR, REFUSED, LATER, ASKS };

#ifdef TRACE
chan seen = [0] of { byte, mtype };
#define TELL(number, what) seen!number,what
#else
#define TELL(number, what) skip
#endif

byte successor[MOST + 2];   /* 0 while the token was not spent */
byte made = 1;
bool ended = false;
byte repeats = 0;           /* how often the first token gave a pair, after its first time */
byte pairs_of_first = 0;
bool reused = false;        /* beyond the grace */

inline spend(token, got) {
    made++;
    successor[token] = made;
    got = made
}

inline present(token, got) {
    got = 0;
#ifdef NO_LOCK
    spent = successor[token];
    /* somebody else comes between */
#else
    atomic {
    spent = successor[token];
#endif
    if
    :: ended || made >= MOST -> skip
    :: else ->
        if
        :: spent == 0 -> spend(token, got); if :: token == 1 -> pairs_of_first++ :: else fi
#ifdef NO_GRACE_ONCE
        :: spent != 0 -> spend(token, got); if :: token == 1 -> pairs_of_first++ :: else fi
#else
        :: spent != 0 && successor[spent] == 0 -> spend(spent, got); if :: token == 1 -> pairs_of_first++ :: else fi
#endif
        :: spent != 0 && successor[spent] != 0 -> reused = true;
#ifndef NO_REUSE
            ended = true
#else
            spend(token, got)
#endif
        fi
    fi
#ifndef NO_LOCK
    }
#endif
}

proctype Caller(byte number) {
    byte holds = 1, got, spent, tries = 0;
    do
    :: tries < TRIES ->
        tries++;
        TELL(number, ASKS);
        if
        :: present(holds, got);
            if
            :: got != 0 -> TELL(number, PAIR); holds = got
            :: got == 0 -> TELL(number, REFUSED)
            :: TELL(number, LATER)       /* the answer was lost: the same token again */
            fi
        :: TELL(number, LATER)           /* the request was */
        fi
    :: else -> break
    od
}

byte unspent = 0;
byte at = 1;

init {
    atomic { run Caller(0); run Caller(1) }
    (_nr_pr == 1);
    do
    :: at <= made -> if :: successor[at] == 0 -> unspent++ :: else fi; at++
    :: else -> break
    od;
    assert(ended || unspent <= 1);       /* at most one token of a living family can be used */
    assert(!reused || ended);            /* a reuse ends the family */
    assert(pairs_of_first <= 2);         /* a spent token gives one more pair, and no third */
}
