"""Throttling: who is slowed or answered 429, and by which count.

| counted | per | in | file | above it |
| --- | --- | --- | --- | --- |
| failures: tokens, codes, applications and logos that nobody issued | address, or proven application | each process | `failures.py` | looked up one at a time in a lane (`look_up.py`); 429 `slow_down` when that is full |
| wrong secrets of applications | application seen from an address | each process | `failures.py` | 429 `slow_down`, but never for the right one |
| guesses of passwords | account, network, known browser | PostgreSQL | `guesses.py` | the sign-in page with 429, nothing is hashed; for two seconds nothing is looked up |
| guesses of codes of the second factor | person, network, known browser | PostgreSQL | `guesses.py` | the page with 429, no code is used up |
| mails that are caused | recipient and kind, network, all | PostgreSQL | `mails.py` | the mail is left out, the page answers as always |
| reads of the AEMP API | connection | each process | `budgets.py` | 429 `too_many_requests` |

One rule holds for all: what succeeds is never counted as a failure, and what was not looked up is never called wrong.
`networks.py` counts the /64 of an IPv6 address to the /56 and the /48 around it. `look_up.py` refuses where a lane is full,
`web/api/rate_limit.py` where a budget is used up, and `web/pages/login.py` answers the sign-in's 429. Connections are bounded in `door/`, places for hashing in `process/lanes.py`; both answer before anything is
counted here.

It may import `storage/` and the errors of `oauth/`. Begin with `failures.py`.
"""
