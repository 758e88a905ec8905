/* What one process remembers of one token, which somebody ends (DECISIONS 11). PostgreSQL tells of the end on a connection
 * that may lag, fall silent or break. The clock counts ticks; an answer of a probe is worth BELIEVED of them.
 *   ONE_COMMIT      the end and its notification are one transaction
 *   HEARD           a change that is heard makes what was asked for before it unbelievable
 *   NUMBER_FIRST    an answer carries the number that was read before the token was asked for
 *   PROBED          the memory is believed while a probe was answered not long ago
 *   SENT_AT         the worth of a probe counts from its sending, and not from its answer
 *   SAME_CONNECTION the probe goes where changes are told, so that its answer comes behind them
 *   GAP             a new connection makes all that was remembered before it unbelievable
 *   LISTEN_FIRST    the memory is given up once the new connection listens, and not before
 * TRACE lets another process say which requests and answers are seen, in order, and when the clock ticks.
 */
#ifndef BELIEVED
#define BELIEVED 2        /* ticks; ages stop there */
#endif
#ifndef MOST_BREAKS
#define MOST_BREAKS 2
#endif

mtype = { CHANGE, ANSWER };
mtype = { IDLE, ASKED, ANSWERED };
mtype = { ASKS, ACTIVE, INACTIVE, ENDS, ENDED };

#ifdef TRACE
chan seen = [0] of { byte, mtype };
#define TELL(what) seen!0,what
#else
#define TELL(what) skip
#endif

/* PostgreSQL */
bool ended = false;
byte since_end = 0;       /* ticks */
bool listening = false;   /* its side of the connection stands */
chan wire = [2] of { mtype };
mtype probe = IDLE;

/* The process */
bool connected = false;
byte breaks = 0;
byte since_sent = BELIEVED;
byte since_proof = BELIEVED;        /* since the sending of the newest probe that was answered */
byte number = 0;                    /* of the newest change */
byte last = 0;                      /* change of the token */
byte forgotten = 0;                 /* up to here nothing is believed */
bool remembered = false;            /* as active */
byte remembered_at = 0;             /* the number */

#ifdef NO_HEARD
#define CHANGED (remembered_at < forgotten)
#else
#define CHANGED (remembered_at < forgotten || last > remembered_at)
#endif
#ifdef NO_PROBED
#define RECENT (true)
#else
#define RECENT (since_proof < BELIEVED)
#endif
#define BELIEVABLE (remembered && RECENT && !CHANGED)

inline notify() {
    if
    :: listening -> wire!CHANGE
    :: else                        /* nobody will ever hear of it */
    fi
}

inline older(age) {
    if
    :: age < BELIEVED -> age++
    :: else
    fi
}

inline forget() {
#ifndef NO_GAP
    d_step { number++; forgotten = number; last = 0 }
#else
    skip
#endif
}

inline tick() {
    d_step {
        older(since_sent);
        older(since_proof);
        if
        :: ended -> older(since_end)
        :: else
        fi
    }
}

#ifndef TRACE
active proctype Clock() {
end:
    do
    :: tick()
    od
}
#endif

active proctype Revocation() {
    TELL(ENDS);
#ifdef NO_ONE_COMMIT
    ended = true;
    atomic { notify() }
#else
    atomic { ended = true; notify() }
#endif
    TELL(ENDED)
}

active proctype PostgreSQL() {
end:
    do
#ifdef NO_SAME_CONNECTION
    :: atomic { probe == ASKED -> probe = IDLE; since_proof = since_sent }
#else
    :: atomic { probe == ASKED && listening -> probe = ANSWERED; wire!ANSWER }
#endif
    :: atomic { listening -> listening = false }     /* it broke, and the process does not know */
    od
}

active proctype Listener() {
end:
    do
    :: !connected ->
#ifdef NO_LISTEN_FIRST
        forget();
        atomic { listening = true; connected = true }
#else
        listening = true;
        forget();
        connected = true
#endif
    :: atomic { connected && wire?[CHANGE] -> wire?CHANGE; number++; last = number }
    :: atomic { connected && wire?[ANSWER] -> wire?ANSWER; probe = IDLE;
#ifdef NO_SENT_AT
        since_proof = 0
#else
        since_proof = since_sent
#endif
       }
    :: atomic { connected && probe == IDLE -> probe = ASKED; since_sent = 0 }
    :: atomic { connected && breaks < MOST_BREAKS -> /* it waited too long, or heard of the end */
        breaks++; connected = false; listening = false; probe = IDLE; since_proof = BELIEVED;
        do
        :: wire?_
        :: empty(wire) -> break
        od
       }
    od
}

/* One who asks PostgreSQL, and remembers. */
active proctype Asker() {
    byte asked_at;
    bool active_then;
end:
    do
#ifdef TRACE
    :: TELL(ASKS); !BELIEVABLE -> asked_at = number;     /* else the memory answers it */
#else
    :: asked_at = number;
#endif
        active_then = !ended;
        atomic {
#ifdef NO_NUMBER_FIRST
            asked_at = number;
#endif
            if
            :: active_then -> remembered = true; remembered_at = asked_at
            :: else
            fi;
            asked_at = 0
        }
#ifdef TRACE
        if
        :: active_then -> TELL(ACTIVE)
        :: else -> TELL(INACTIVE)
        fi
#endif
    od
}

/* One who is answered from memory. */
active proctype Reader() {
end:
    do
#ifdef TRACE
    :: TELL(ASKS); BELIEVABLE -> TELL(ACTIVE)
#else
    :: atomic { BELIEVABLE ->
        assert(!ended || since_end < BELIEVED)  /* an ended token is called active for less than a probe is worth */
       }
#endif
    od
}

/* there comes a moment from which nobody calls an ended token active */
ltl refused_at_last { [] (ended -> <> [] !BELIEVABLE) }
