"""No cap is ever exceeded, whatever happens in whatever order, and what is released is room for the next tick.

Three releases share a few customers. At random: a tick decides and reserves (for one release or several at once), a batch
leaves or fails in part, what failed is tried again, a release is cancelled, the writer dies before its commit, the store
is closed and opened, time passes. An account kept in plain Python, by the words of docs/throttle.md, predicts every
decision of every tick and counts every window after every step. Real kills of a process are in test_crash.py.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from delivery import RealEffects, Slot
from delivery.channels import FileChannel, HandedOver
from delivery.handover import Done, HandOver
from delivery.tables import make
from delivery.vault import Vault
from tests.support.candidates import Candidate, put
from tests.support.small_bank import AS_OF, SmallBank, build_small_bank, copied, open_small_bank
from tools.throttle import ThrottlePolicy
from warehouse.clock import naive_utc

ZONE = ZoneInfo("Asia/Shanghai")
CUSTOMERS, STEPS = 5, 26
RELEASES = {"prop_1": 50, "prop_2": 50, "prop_3": 80}
"""Release → its priority; two are equal, so that the hash decides between them."""
CHANNELS, CATEGORIES = ("sms", "push", "call"), ("marketing", "marketing", "service")
FREE = ("failed", "cancelled")
"""The statuses of this test in which a touch has reached nobody."""


@dataclass(frozen=True)
class Rule:
    """A limit as the account keeps it. `span` is hours of a rolling window, or the calendar's period."""

    name: str
    per: str
    span: int | str
    most: int
    exempt: tuple[str, ...] = ()
    only_channel: str = ""

    def key(self, customer: int, channel: str, category: str) -> tuple[object, ...] | None:
        """What is counted together with this touch; None where the rule does not concern it."""
        if category in self.exempt or (self.only_channel and channel != self.only_channel):
            return None
        return {"global": (customer,), "channel": (customer, channel), "category": (customer, category), "bank": ()}[
            self.per
        ]

    def same_window(self, moment: datetime, now: datetime) -> bool:
        if isinstance(self.span, int):
            return now - timedelta(hours=self.span) < moment <= now
        day, today = moment.astimezone(ZONE).date(), now.astimezone(ZONE).date()
        if self.span == "day":
            return day == today
        return day.isocalendar()[:2] == today.isocalendar()[:2]


RULES = (
    Rule("cap_day", "channel", "day", 1, exempt=("service",)),
    Rule("cap_roll", "global", 72, 2),
    Rule("cap_kind", "category", "week", 3),
    Rule("promised_call_marketing", "global", "week", 1, exempt=("service",), only_channel="call"),
    Rule("capacity_lines", "bank", "day", 4, only_channel="sms"),
)
POLICY = ThrottlePolicy.model_validate(
    {
        "quiet_hours": [],
        "contact": {},
        "caps": [
            {"name": "day", "scope": "channel", "window": {"window": "calendar", "period": "day"}, "max": 1,
             "exempt_categories": ["service"]},
            {"name": "roll", "scope": "global", "window": {"window": "rolling", "hours": 72}, "max": 2},
            {"name": "kind", "scope": "category", "window": {"window": "calendar", "period": "week"}, "max": 3},
        ],
        "capacity": [
            {"name": "lines", "channel": "sms", "window": {"window": "calendar", "period": "day"}, "max": 4,
             "over": "abandon"}
        ],
        "consent": {
            "promised": [
                {"channel": "call", "purpose": "marketing", "window": {"window": "calendar", "period": "week"}, "max": 1}
            ]
        },
    }
)  # fmt: skip


@dataclass
class Touch:
    """One touch in the account: reserved until it has `sent`, or is free again."""

    asked: Candidate
    status: str = "queued"
    sent: datetime | None = None

    def counts(self, rule: Rule, key: tuple[object, ...] | None, now: datetime) -> bool:
        if self.status in FREE or rule.key(self.asked.customer, self.asked.channel, self.asked.category) != key:
            return False
        # A reservation that has not left may leave now.
        return self.sent is None or rule.same_window(self.sent, now)


@dataclass
class World:
    """The store, the account beside it, and the dice."""

    root: Path
    dice: random.Random
    now: datetime = AS_OF
    account: dict[str, Touch] = field(default_factory=dict)
    wave: int = 0
    seen: set[str] = field(default_factory=set)

    @contextmanager
    def opened(self) -> Iterator["World"]:
        with ExitStack() as stack:
            self._stack = stack
            self._open()
            yield self
            self._close()

    def _open(self) -> None:
        self._bank = open_small_bank(self.root)
        self.bank: SmallBank = self._bank.__enter__()
        with self.bank.warehouse.writer() as con:
            make(con)
        home = self.bank.home
        # Only what is marked and cancelled is asked of it here, so nobody's authority is needed.
        nobody: Any = None
        self.handover = HandOver(self.bank.warehouse, nobody, Vault(home.contacts), FileChannel(home.outbox))

    def _close(self) -> None:
        self._bank.__exit__(None, None, None)

    # What can happen

    def tick(self, *, dies: bool = False) -> None:
        """Decide for some releases at once; the writer may die before it commits."""
        self.wave += 1
        asked = list({c.touch_id: c for c in (self._candidate() for _ in range(self.dice.randint(1, 7)))}.values())
        effects = RealEffects(POLICY, self.bank.segments, {r: Slot("full", self.wave) for r in RELEASES})
        expected = self._expected(asked)
        try:
            with self.bank.warehouse.writer() as con:
                decided = effects.decide(con, put(con, asked), self.now, {})
                rows = con.execute(
                    f"SELECT touch_id, CASE decision WHEN 'send' THEN decision ELSE rule END FROM {decided}"
                )
                found = {str(touch): str(rule) for touch, rule in rows.fetchall()}
                con.execute(f"DROP TABLE {decided}")
                assert found == expected, (self.now, asked)
                if dies:
                    raise Died
        except Died:
            return
        self.seen |= set(found.values())
        self.account |= {c.touch_id: Touch(c) for c in asked if found[c.touch_id] == "send"}

    def dies(self) -> None:
        self.tick(dies=True)

    def leave(self) -> None:
        """Everything that is queued of a release leaves now; some of it fails for want of an address."""
        release = self.dice.choice(list(RELEASES))
        done = []
        for batch in self.handover._batches(release, "sha256:x"):
            keys = [q.touch_id for q in self.handover._queued(batch)]
            failed = tuple(key for key in keys if self.dice.random() < 0.3)
            sent = tuple(key for key in keys if key not in failed)
            done.append(Done(batch, HandedOver(f"{batch.name}.jsonl", "0", sent), failed))
            for key in keys:
                self.account[key].status = "failed" if key in failed else "sent"
                self.account[key].sent = None if key in failed else self.now
        if done:
            self.handover._mark(release, done, self.now)

    def cancel(self) -> None:
        """A release is stopped: its reservations are released."""
        release = self.dice.choice(list(RELEASES))
        self.handover.cancel(release, "sha256:x", self.now)
        for touch in self.account.values():
            if touch.asked.campaign == release and touch.status == "queued":
                touch.status = "cancelled"

    def reopen(self) -> None:
        self._close()
        self._open()

    def wait(self) -> None:
        self.now += timedelta(minutes=self.dice.choice((1, 20, 170, 600, 1500, 4000)))

    def _candidate(self) -> Candidate:
        campaign = self.dice.choice(list(RELEASES))
        customer, channel = self.dice.randint(1, CUSTOMERS), self.dice.choice(CHANNELS)
        # A node per attempt: what failed is tried again under a new key, as a later node of the journey would.
        node = f"{channel}_{self.wave}_{self.dice.randint(1, 2)}"
        category = self.dice.choice(CATEGORIES)
        return Candidate(customer, channel, category, RELEASES[campaign], campaign, node)

    # The account

    def _expected(self, asked: list[Candidate]) -> dict[str, str]:
        """Every candidate in its turn: sent if each rule that concerns it has room, and then it uses up each."""
        taken: dict[str, Touch] = {}
        answers = {}
        for c in sorted(asked, key=lambda c: (-c.priority, hashlib.md5(c.touch_id.encode()).hexdigest())):
            full = (
                r.name
                for r in RULES
                if self._used(r, c, taken) is not None and (self._used(r, c, taken) or 0) >= r.most
            )
            answers[c.touch_id] = next(full, "send")
            if answers[c.touch_id] == "send":
                taken[c.touch_id] = Touch(c)
        return answers

    def _used(self, rule: Rule, c: Candidate, taken: dict[str, Touch]) -> int | None:
        key = rule.key(c.customer, c.channel, c.category)
        if key is None:
            return None
        return sum(t.counts(rule, key, self.now) for t in (*self.account.values(), *taken.values()))

    def check(self) -> None:
        """The store holds what the account holds, and no window of any rule holds more than it may: at the instant of any
        touch that left, and now with what is still reserved."""
        rows = self.bank.warehouse.read(
            "SELECT touch_id, status, sent_at, customer_id, channel, category FROM touches"
        ).rows
        stored = {str(t): (s, sent) for t, s, sent, *_ in rows}
        assert stored == {k: (t.status, naive_utc(t.sent) if t.sent else None) for k, t in self.account.items()}
        left = [(r[5], r[4], r[3], r[2].replace(tzinfo=UTC)) for r in rows if r[1] == "sent"]
        held = [(r[5], r[4], r[3], None) for r in rows if r[1] == "queued"]
        for rule in RULES:
            for moment in {m for *_, m in left} | {self.now}:
                counts: dict[object, int] = {}
                for category, channel, customer, at in left + (held if moment == self.now else []):
                    key = rule.key(customer, channel, category)
                    if key is not None and (at is None or (at <= moment and rule.same_window(at, moment))):
                        counts[key] = counts.get(key, 0) + 1
                assert max(counts.values(), default=0) <= rule.most, (rule.name, moment, counts)


class Died(Exception):
    """The writer is gone before its commit."""


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("interleavings") / "home"
    build_small_bank(root, customers=CUSTOMERS)
    return root


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_events_breaks_a_cap_or_wastes_room(master: Path, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    with World(copied(master, tmp_path / "home"), dice).opened() as world:
        events = (world.tick, world.leave, world.wait, world.cancel, world.dies, world.reopen)
        for _ in range(STEPS):
            dice.choices(events, weights=(8, 4, 5, 1.5, 1.5, 0.7))[0]()
            world.check()
        assert "send" in world.seen
        assert len(world.seen) >= 3, "the dice met too few rules to prove anything"


def test_what_is_released_is_room_for_the_next_tick_and_not_for_this_one(master: Path, tmp_path: Path) -> None:
    with World(copied(master, tmp_path / "home"), random.Random(0)).opened() as world:
        first, second, third = (Candidate(1, "push", campaign=r, node=r) for r in RELEASES)
        for candidate, answer in ((first, "send"), (second, "cap_day")):
            world._candidate = lambda c=candidate: c  # type: ignore[method-assign, misc]
            world.tick()
            assert (candidate.touch_id in world.account) == (answer == "send")
        world.handover.cancel("prop_1", "sha256:x", world.now)
        world.account[first.touch_id].status = "cancelled"
        world._candidate = lambda: third  # type: ignore[method-assign]
        world.tick()
        world.check()
        assert world.account[third.touch_id].status == "queued"
