"""The SQL of the ledger: reserve, settle, sum; every function runs inside a transaction."""

import sqlite3
from collections.abc import Iterable, Sequence

from bot.domain.budgets import (
    Call,
    Check,
    Held,
    Refused,
    Spent,
    accounts,
    channel_account,
    period_of,
)
from bot.domain.replies import Usage

ENTER = """insert into ledger
(id, at, person, lane, model, input, output, estimated, cost, purpose, messages, held)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
READ = """select at, person, lane, input + output, cost, messages from ledger
where id = ? and held = 1"""
SETTLE = """update ledger set model = ?2, input = ?3, output = ?4, estimated = ?5, cost = ?6,
messages = ?7, held = 0 where id = ?1"""
ADD = """insert into spent values (?, ?, ?, ?, ?) on conflict do update set
tokens = tokens + excluded.tokens, usd = usd + excluded.usd,
messages = messages + excluded.messages"""
FOLLOW = """insert into spent select ?2, day, tokens, usd, messages from spent where account = ?1
on conflict do update set
tokens = tokens + excluded.tokens, usd = usd + excluded.usd,
messages = messages + excluded.messages"""
SPENT = """select coalesce(sum(tokens), 0), coalesce(sum(usd), 0.0), coalesce(sum(messages), 0)
from spent where account = ?1 and day >= ?2 and day < ?2 || '~'"""  # of a day or of a month
DAYS_KEPT = 62  # whose sums are kept: the month that runs, and the one before


def hold(db: sqlite3.Connection, call: Call, checks: Sequence[Check]) -> Held | Refused:
    """Reserve a call if every limit leaves room for it."""
    output = call.output
    for check in checks:
        left = check.rule.most - getattr(spent(db, check.account, check.period), check.rule.unit)
        fitting = call.fitting(check.rule.unit, left)
        if fitting < call.least:
            return Refused(check, left)
        output = min(output, fitting)
    most = call.most(output)
    sums = (call.input, output, True, most.usd, call.purpose, most.messages, True)
    db.execute(ENTER, (call.id, call.at, call.who, call.lane, call.tariff.model, *sums))
    _add(db, call.at, call.who, call.lane, most)
    return Held(output)


def settle(db: sqlite3.Connection, call: Call, usage: Usage, used: Spent) -> None:
    """Replace a reservation by what was used."""
    row = db.execute(READ, (call.id,)).fetchone()
    if row is None and used.nothing:
        return
    if row is None:  # a full disk has kept the reservation out
        empty = (0, 0, True, 0.0, call.purpose, 0, True)
        db.execute(ENTER, (call.id, call.at, call.who, call.lane, call.tariff.model, *empty))
        row = (call.at, call.who, call.lane, 0, 0.0, 0)
    at, who, lane, tokens, usd, messages = row  # its conversation may have moved meanwhile
    held = Spent(tokens=tokens, usd=usd, messages=messages)
    _add(db, at, who, lane, used.minus(held))
    if used.nothing:
        db.execute("delete from ledger where id = ?", (call.id,))
        return
    model = usage.model or call.tariff.model
    counts = (usage.input_tokens, usage.output_tokens, usage.estimated)
    db.execute(SETTLE, (call.id, model, *counts, used.usd, used.messages))


def settle_left(db: sqlite3.Connection, today: str) -> None:
    """Let what a killed process has reserved count as it stands; drop the sums of long ago."""
    db.execute("update ledger set held = 0 where held = 1")
    db.execute(
        "delete from spent where day < date(?, ?)",
        (today, f"-{DAYS_KEPT} days"),
    )


def follow(db: sqlite3.Connection, old: str, new: str) -> None:
    """Let what was used in a channel count for its new name."""
    accounts_of = (channel_account(old), channel_account(new))
    db.execute(FOLLOW, accounts_of)
    db.execute("delete from spent where account = ?", accounts_of[:1])


def spent(db: sqlite3.Connection, account: str, period: str) -> Spent:
    """Read one sum."""
    return as_spent(db.execute(SPENT, (account, period)))


def as_spent(rows: Iterable[Sequence[float]]) -> Spent:
    """Read the only row, if there is one."""
    for tokens, usd, messages in rows:
        return Spent(tokens=int(tokens), usd=usd, messages=int(messages))
    return Spent()


def _add(db: sqlite3.Connection, at: float, who: str, lane: str, more: Spent) -> None:
    if more.nothing:
        return
    sums = (period_of(at, "day"), more.tokens, more.usd, more.messages)
    db.executemany(ADD, [(account, *sums) for _, account in accounts(who, lane)])
