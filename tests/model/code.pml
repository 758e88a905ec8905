/* One authorization code, redeemed by two callers at any processes, while replies are lost, processes die and Valkey
 * comes back older (DECISIONS 1, 10). A guard that is defined away must give a counterexample:
 *   UNIQUE       the code's id is the grant's primary key
 *   LATE_DELETE  the code is deleted when the grant stands, and not before
 *   REPLAY       whoever finds a grant of somebody else ends it
 *   COMMIT_FIRST a token is answered when its grant is committed
 *   ONCE_MORE    a statement whose reply was lost is sent once more, and no more
 * TRACE lets another process say which requests and answers are seen, in order, and when Valkey comes back older.
 */
#define CALLERS 2
#ifndef TRIES
#define TRIES 2
#endif

mtype = { NOTHING, TOKEN, REFUSED, LATER, ASKS };

#ifdef TRACE
chan seen = [0] of { byte, mtype };
#define TELL(number, what) seen!number,what
#else
#define TELL(number, what) skip
#endif

bool in_valkey = true;       /* the code waits */
byte grants = 0;             /* rows of this code */
byte owner = 0;              /* the first token of the grant: the caller's number and attempt */
bool ended = false;          /* the grant was revoked */
byte tokens = 0;             /* answered, each to its caller */
bool replayed = false;       /* somebody was told that the code was used */
mtype heard[CALLERS] = NOTHING;

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

/* A refusal that may be lost on its way. */
inline refuse(number) {
    if
    :: heard[number] = REFUSED
    :: heard[number] = LATER
    fi
}

inline replay(number) {
    replayed = true;
#ifndef NO_REPLAY
    ended = true;
#endif
    refuse(number)
}

proctype Caller(byte number) {
    byte tries = 0, sendings;
    bool there, stands;
    byte mine;
    do
    :: tries < TRIES && heard[number] != TOKEN && heard[number] != REFUSED ->
        TELL(number, ASKS);
        tries++;
        mine = 1 + number * TRIES + (tries - 1);
        stands = false;
        sendings = 0;
        /* Valkey */
        atomic {
            there = in_valkey;
#ifdef NO_LATE_DELETE
            in_valkey = false
#endif
        }
        if
        :: tries < TRIES -> heard[number] = LATER    /* its reply was lost, or the process died */
        :: !there ->
            if
            :: grants > 0 -> replay(number)
            :: else -> refuse(number)
            fi
        :: there ->
#ifdef NO_COMMIT_FIRST
            tokens++; heard[number] = TOKEN;
#endif
            /* PostgreSQL: a sending is lost, or done and its reply lost, or done and answered */
            do
#ifndef NO_ONCE_MORE
            :: sendings < 2 ->
#else
            :: true ->
#endif
                if
                :: sendings < 2 -> sendings++
                :: else
                fi;
                if
                :: true -> insert(mine, stands); break
                :: true -> insert(mine, stands)      /* done, and the reply lost: the same ids once more */
                :: skip
                fi
#ifndef NO_ONCE_MORE
            :: sendings == 2 -> goto later           /* nobody knows */
#endif
            od;
            if
            :: stands ->
#ifndef NO_COMMIT_FIRST
                tokens++; heard[number] = TOKEN;
#endif
                TELL(number, heard[number]);
                if
                :: in_valkey = false
                :: skip                              /* the process died before, or nobody was there */
                fi;
                goto next
            :: else -> replay(number)
            fi;
            goto tell;
later:
#ifndef NO_COMMIT_FIRST
            heard[number] = LATER;
#endif
            skip
        fi;
tell:   TELL(number, heard[number]);
next:   skip
    :: else -> break
    od
}

/* An older copy of Valkey, or a replica that had not heard of the deletion. */
inline restore() {
    in_valkey = true
}

proctype Restore() {
    restore()
}

init {
    atomic { run Caller(0); run Caller(1);
#ifndef TRACE
        run Restore()
#endif
    }
    (_nr_pr == 1);
    assert(tokens <= 1);                          /* a code gives one set of tokens */
    assert(tokens <= grants);                     /* a token that was answered has its row */
    assert(!(replayed && grants > 0) || ended);   /* a second use ends what came of the code */
    assert(grants > 0 || heard[0] != REFUSED && heard[1] != REFUSED);  /* nobody is refused a code that nobody redeemed */
}

/* however often replies are lost, a caller ends with an answer */
ltl answered { <> (heard[0] != NOTHING && heard[1] != NOTHING) }
