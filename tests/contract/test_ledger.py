"""The ledger: what is reserved counts, what is settled is exact, and a kill forgets nothing."""

import asyncio
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from bot.backends.sqlite.store import opened
from bot.domain.budgets import Call, Check, Held, Refused, Rule, Spent, Tariff, accounts
from bot.domain.conversation import Conversation
from bot.domain.replies import Usage

AT = 1_795_950_000.0  # a moment on 29 November 2026
DAY, MONTH = "2026-11-29", "2026-11"
TARIFF = Tariff(model="m", price_input=1_000.0, price_output=2_000.0)
LIMITS = (
    Rule(scope="per_person", unit="tokens", period="day", most=1_000),
    Rule(scope="per_channel", unit="messages", period="month", most=7),
    Rule(scope="total", unit="usd", period="day", most=3.0),
)
ids = iter(range(1, 1 << 62))


def call(who="ann", lane="fake:W:C:", **changes):
    values = {"id": next(ids), "at": AT, "purpose": "answer", "tariff": TARIFF,
              "input": 100, "output": 50, "least": 10}  # fmt: skip
    return Call(who=who, lane=lane, **{**values, **changes})


def checks(made):
    named = dict(accounts(made.who, made.lane))
    return [Check(rule=rule, account=named[rule.scope],
                  period=DAY if rule.period == "day" else MONTH) for rule in LIMITS]  # fmt: skip


def used(into, out, messages=1):
    usage = Usage(model="m", input_tokens=into, output_tokens=out)
    return usage, Spent(tokens=into + out, usd=TARIFF.cost(into, out), messages=messages)


@pytest.fixture
def at(tmp_path):
    return lambda: opened(tmp_path / "parley.db")


async def test_a_model_call_that_a_kill_cut_short_is_charged_once(at):
    async with at() as store:
        await store.ledger.hold(call(), ())
    for _ in range(2):
        async with at() as store:
            assert await store.ledger.spent("person ann", DAY) == Spent(
                tokens=150, usd=0.2, messages=1
            )


async def test_a_settled_call_counts_what_it_took_also_after_a_kill(at):
    made = call()
    async with at() as store:
        store.ledger.hold(made, ())
        await store.ledger.settle(made, *used(7, 1))
    async with at() as store:
        for account in ("person ann", "channel fake:W:C", "workspace fake:W", "total"):
            for period in (DAY, MONTH):
                assert (await store.ledger.spent(account, period)).tokens == 8


async def test_what_took_nothing_leaves_no_trace(at, tmp_path):
    made = call()
    async with at() as store:
        store.ledger.hold(made, ())
        await store.ledger.settle(made, Usage(), Spent())
        assert await store.ledger.spent("total", DAY) == Spent()
    assert rows(tmp_path / "parley.db", "select * from ledger") == []


async def test_a_call_whose_reservation_was_not_stored_is_charged_all_the_same(at):
    async with at() as store:
        await store.ledger.settle(call(), *used(7, 1))
        assert await store.ledger.spent("total", DAY) == used(7, 1)[1]


async def test_a_threads_use_is_its_channels(at):
    async with at() as store:
        await store.ledger.hold(call(lane="slack:T1:C1:17.2"), ())
        assert (await store.ledger.spent("channel slack:T1:C1", DAY)).messages == 1


async def test_what_was_used_follows_a_conversation_that_moves(at):
    old, new = (Conversation(platform="telegram", channel=name) for name in ("-1", "-2"))
    made = call(lane=str(old))
    async with at() as store:
        await store.ledger.hold(call(lane=str(new)), ())
        await store.ledger.hold(made, ())
        await store.places.move(old, new)
        await store.ledger.settle(made, *used(7, 1))
        assert (await store.ledger.spent("channel telegram::-1", DAY)) == Spent()
        assert (await store.ledger.spent("channel telegram::-2", DAY)).tokens == 158


async def test_a_refusal_names_the_limit_and_what_it_leaves(at):
    async with at() as store:
        made = call(input=900)
        assert await store.ledger.hold(made, checks(made)) == Held(50)
        made = call(input=100)
        refused = await store.ledger.hold(made, checks(made))
        assert (refused.check.rule.scope, refused.left) == ("per_person", 50)


async def test_an_answer_is_limited_to_what_is_left(at):
    async with at() as store:
        made = call(input=970, output=500)
        assert await store.ledger.hold(made, checks(made)) == Held(30)


async def test_limits_that_were_set_in_chat_are_kept(at):
    person, total = ("per_person", "tokens", "day"), ("total", "usd", "month")
    async with at() as store:
        await store.ledger.limit(person, 20_000.0)
        await store.ledger.limit(total, None)
    async with at() as store:
        assert await store.ledger.limits() == {person: 20_000.0, total: None}
        await store.ledger.follow(person)
        assert await store.ledger.limits() == {total: None}


async def test_the_top_shows_who_used_most(at):
    async with at() as store:
        for who, times in (("ann", 1), ("bob", 2)):
            for _ in range(times):
                await store.ledger.hold(call(who), ())
        top = await store.ledger.top("person", MONTH, limit=5)
    assert [account for account, _ in top] == ["person bob", "person ann"]


def rows(path, sql):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


class LedgerMachine(RuleBasedStateMachine):
    """Calls of three people in three conversations, kills in between, beside a plain list."""

    calls = Bundle("calls")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.entries = {}  # id → (call, what counts of it)
        self.held = set()
        self._open()

    def _open(self):
        self.opening = opened(Path(self.folder.name) / "parley.db")
        self.store = self.loop.run_until_complete(self.opening.__aenter__())

    def _close(self):
        self.loop.run_until_complete(self.opening.__aexit__(None, None, None))

    def _run(self, write):
        async def written():
            return await write()

        return self.loop.run_until_complete(written())

    def teardown(self):
        self._close()
        self.loop.close()
        self.folder.cleanup()

    def sums(self):
        sums = defaultdict(lambda: [0, 0.0, 0])
        for made, spent in self.entries.values():
            for _, account in accounts(made.who, made.lane):
                for period in (DAY, MONTH):
                    found = sums[account, period]
                    found[0] += spent.tokens
                    found[1] += spent.usd
                    found[2] += spent.messages
        return sums

    def room(self, made):
        """How many tokens of output every limit allows, counted anew from the list."""
        sums, fitting = self.sums(), [made.output]
        for check in checks(made):
            tokens, usd, messages = sums[check.account, check.period]
            most = check.rule.most
            if check.rule.unit == "tokens":
                fitting.append(int(most - tokens - made.input))
            elif check.rule.unit == "messages" and messages + 1 > most:
                fitting.append(-1)
            elif check.rule.unit == "usd":
                fitting.append(int((most - usd - made.input * 0.001) / 0.002 + 1e-9))
        return min(fitting)

    @rule(
        target=calls, who=st.sampled_from("abc"), lane=st.sampled_from(["f:W:C:", "f:W:C:1", "f::D:"]),
        given=st.integers(0, 600), said=st.integers(10, 600),
    )  # fmt: skip
    def hold(self, who, lane, given, said):
        made = call(who, lane, input=given, output=said)
        outcome = self._run(lambda: self.store.ledger.hold(made, checks(made)))
        room = self.room(made)
        if isinstance(outcome, Refused):
            assert room < made.least + 1  # money is counted in fractions: one token either way
            return multiple()
        assert abs(outcome.output - room) <= 1
        self.entries[made.id] = (made, made.most(outcome.output))
        self.held.add(made.id)
        return made

    @rule(made=calls, part=st.floats(0, 1), answered=st.booleans())
    def settle(self, made, part, answered):
        if made.id not in self.held:
            return
        self.held.discard(made.id)
        reserved = self.entries[made.id][1]
        out = int((reserved.tokens - made.input) * part)
        usage, spent = used(int(made.input * part), out, int(answered))
        self._run(lambda: self.store.ledger.settle(made, usage, spent))
        self.entries[made.id] = (made, spent)

    @rule()
    def kill(self):
        """What is reserved counts as it stands from now on."""
        self._close()
        self.held.clear()
        self._open()

    @invariant()
    def spent_is_the_ledger_is_the_truth(self):
        path = Path(self.folder.name) / "parley.db"
        sums = {key: value for key, value in self.sums().items() if key[1] == DAY}
        spent = {(account, day): values for account, day, *values in
                 rows(path, "select * from spent")}  # fmt: skip
        for key in sums.keys() | spent.keys():
            assert spent.get(key, [0, 0, 0]) == pytest.approx(sums.get(key, [0, 0, 0]))
        entered = rows(path, "select sum(input + output), sum(cost), sum(messages) from ledger")
        assert [x or 0 for x in entered[0]] == pytest.approx(sums.get(("total", DAY), [0, 0, 0]))

    @invariant()
    def nothing_is_over_its_limit(self):
        sums = self.sums()
        for check in {check for made, _ in self.entries.values() for check in checks(made)}:
            units = dict(zip(("tokens", "usd", "messages"), sums[check.account, check.period],
                             strict=True))  # fmt: skip
            assert units[check.rule.unit] <= check.rule.most + 1e-9


LedgerMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestLedger = LedgerMachine.TestCase
