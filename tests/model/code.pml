/* One authorization code, redeemed by two callers at any processes, while replies are lost, processes die and Valkey
 * comes back older (DECISIONS 1, 10). A guard that is defined away must give a counterexample:
 *   UNIQUE       the code's id is the grant's primary key
 *   LATE_DELETE  the code is deleted when the grant stands, and not before
 *   REPLAY       whoever finds a grant of somebody else ends it
 *   COMMIT_FIRST a token is answered when its grant is committed
 */
#define CALLERS 2
#define TRIES 2

mtype = { NOTHING, TOKEN, REFUSED, LATER };

bool in_valkey = true;       /* the code waits */
byte grants = 0;             /* rows of this code */
byte owner = 0;              /* the first token of the grant: the caller's number and attempt */
bool ended = false;          /* the grant was revoked */
byte tokens = 0;             /* answered, each to its caller */
bool replayed = false;       /* somebody was told that the code was used */
bool restored = false;
mtype heard[CALLERS];

inline insert(mine, stands) {
    atomic {
#ifdef NO_UNIQUE
        grants++; owner = mine; stands = true
#else
        if
        :: grants == 0 -> grants = 1; owner = mine; stands = true
        :: else -> stands = (owner == mine)
        fi
#endif
    }
}

proctype Caller(byte number) {
    byte tries = 0;
    bool there, stands, sent;
    byte mine;
    do
    :: tries < TRIES && heard[number] != TOKEN && heard[number] != REFUSED ->
        tries++;
        mine = 1 + number * TRIES + (tries - 1);
        stands = false;
        sent = false;
        /* Valkey */
        atomic {
            there = in_valkey;
#ifdef NO_LATE_DELETE
            in_valkey = false
#endif
        }
        if
        :: !there ->
            if
            :: grants > 0 -> replayed = true;
#ifndef NO_REPLAY
                ended = true;
#endif
                heard[number] = REFUSED
            :: else -> heard[number] = REFUSED
            fi
        :: there && tries < TRIES -> heard[number] = LATER   /* its reply was lost, or the process died */
        :: there ->
#ifdef NO_COMMIT_FIRST
            tokens++; heard[number] = TOKEN;
#endif
            /* PostgreSQL: the statement is lost, or done and its reply lost, or done; then it is sent once more */
            do
            :: sent -> break
            :: !sent -> insert(mine, stands);
                sent = true
            :: !sent -> sent = true; goto later      /* never sent, or nobody knows */
            :: !sent -> insert(mine, stands)         /* done, and the reply lost: the same ids once more */
            od;
            if
            :: stands ->
#ifndef NO_COMMIT_FIRST
                tokens++; heard[number] = TOKEN;
#endif
                if
                :: in_valkey = false
                :: skip                              /* the process died before, or nobody was there */
                fi
            :: else -> replayed = true;
#ifndef NO_REPLAY
                ended = true;
#endif
                heard[number] = REFUSED
            fi;
            goto next;
later:
#ifndef NO_COMMIT_FIRST
            heard[number] = LATER;
#endif
            skip;
next:       skip
        fi
    :: else -> break
    od
}

/* An older copy of Valkey, or a replica that had not heard of the deletion. */
proctype Restore() {
    if
    :: !in_valkey -> in_valkey = true; restored = true
    :: true
    fi
}

init {
    heard[0] = NOTHING; heard[1] = NOTHING;
    atomic { run Caller(0); run Caller(1); run Restore() }
    (_nr_pr == 1);
    assert(tokens <= 1);                             /* never two */
    assert(tokens <= grants);                        /* none without its row */
    assert(!(replayed && grants > 0) || ended);      /* a second use ends what came of it */
    /* nobody was refused for a code that nobody redeemed */
    assert(!((heard[0] == REFUSED || heard[1] == REFUSED) && grants == 0));
}
