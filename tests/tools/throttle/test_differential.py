"""The set-based engine against a plain row-by-row one: random policies, banks, pasts, plans and ticks give the same."""

from collections.abc import Iterator
from datetime import UTC, date, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.candidates import Candidate, Decision, decisions, naive, put
from tests.support.reference_throttle import Person, Touched, World, decide_slowly
from tests.support.small_bank import AS_OF, SmallBank, build_small_bank, open_small_bank
from tools.throttle import Cap, Capacity, Promise, QuietHours, ThrottlePolicy, decide
from tools.throttle.policy import Calendar, Consent, Days, Rolling

NOW = AS_OF.replace(tzinfo=None)
CHANNELS = ("sms", "push", "wecom", "call")
CATEGORIES = ("marketing", "service", "care")
CAMPAIGNS = ("a", "b", "c")
PRODUCTS = {1: ("wealth", "R2"), 2: ("wealth", "R4"), 3: ("deposit", None)}

windows = st.one_of(
    st.integers(1, 200).map(lambda hours: Rolling(hours=hours)),
    st.sampled_from(["hour", "day", "week", "month", "quarter", "year"]).map(
        lambda period: Calendar.model_validate({"period": period})
    ),
)
overs = st.sampled_from(["abandon", "defer"])


@st.composite
def caps(draw: st.DrawFn, number: int) -> Cap:
    scope = draw(st.sampled_from(["global", "channel", "category", "tier", "account"]))
    some = draw(
        st.sampled_from([(), ("wecom",), ("wecom", "call")] if scope == "account" else [(), ("sms", "push"), ("call",)])
    )
    kinds = draw(st.sampled_from([{}, {"exempt_categories": ("service",)}, {"only_categories": ("marketing", "care")}]))
    return Cap.model_validate(
        {"name": f"c{number}", "scope": scope, "window": draw(windows), "max": draw(st.integers(0, 3)), "channels": some,
         "tiers": ("mass", "private") if scope == "tier" else (), "over": draw(overs), **kinds}
    )  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> ThrottlePolicy:
    promised = st.builds(
        Promise,
        channel=st.sampled_from(["sms", "push"]),
        purpose=st.sampled_from(["marketing", "service"]),
        window=windows,
        max=st.integers(0, 2),
    )
    quiet = (
        QuietHours(name="noon", channels=("call",), all_day=True, on="dates", dates=(Days(first=AS_OF.date(), last=AS_OF.date()),)),
        QuietHours(name="nine", channels=("push",), start=time(8), end=time(10), action="abandon"),
    )  # fmt: skip
    return ThrottlePolicy(
        caps=tuple(draw(caps(number)) for number in range(draw(st.integers(0, 4)))),
        capacity=tuple(
            Capacity.model_validate({"name": f"p{number}", "channel": draw(st.sampled_from(CHANNELS)), "window": draw(windows),
                                     "max": draw(st.integers(0, 8)), "over": draw(overs)})
            for number in range(draw(st.integers(0, 2)))
        ),
        quiet_hours=draw(st.sampled_from([(), (), quiet[:1], quiet])),
        consent=Consent(promised=tuple(draw(st.lists(promised, max_size=2))), term_days=draw(st.sampled_from([None, None, None, 400]))),
        priorities=draw(st.sampled_from([{}, {"care": 2}, {"service": 5, "care": -1}])),
        defer_expires_hours=draw(st.sampled_from([1, 48, 400])),
        contact={},
    )  # fmt: skip


tiers, managers = st.sampled_from(["mass", "private", "wealth", None]), st.sampled_from([7, 8, None])
healthy = st.builds(Person, customer=st.just(0), tier=tiers, manager=managers)
people = st.builds(
    Person,
    customer=st.just(0),
    born=st.sampled_from([date(1990, 5, 5), date(2008, 11, 18), date(2008, 11, 19)]),
    tier=tiers,
    manager=managers,
    staff=st.sampled_from([False, False, False, True]),
    risk=st.sampled_from(["R1", "R3", "R5", None]),
    assessed=st.sampled_from([date(2026, 5, 18), date(2025, 11, 18), date(2025, 11, 19), None]),
    consented=st.sampled_from([naive("2024-01-01"), NOW, NOW + timedelta(1), NOW - timedelta(400), None]),
    opted_in=st.sampled_from([True, True, True, False]),
)
moments = st.integers(0, 24 * 12).map(lambda hours: NOW - timedelta(hours=hours))
ahead = st.integers(0, 24 * 12).map(lambda hours: NOW + timedelta(hours=hours))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    found = draw(st.lists(st.one_of(healthy, healthy, healthy, people), min_size=5, max_size=5))
    world = World({n: Person(**{**p.__dict__, "customer": n}) for n, p in enumerate(found, 1)}, products=PRODUCTS)
    world.same_person = draw(st.sampled_from([(), (2, 3)]))
    for n in range(draw(st.integers(0, 14))):
        world.touches.append(
            Touched(f"t{n}", draw(st.sampled_from(CAMPAIGNS)), draw(st.integers(1, 5)), draw(st.sampled_from(CHANNELS)),
                    draw(st.sampled_from(CATEGORIES)), draw(moments), draw(st.sampled_from(["sent", "queued", "failed"])))
        )  # fmt: skip
    world.suppressed = draw(st.sampled_from([{}, {}, {1: "overdue"}, {4: "deceased"}]))
    return world


@st.composite
def ticks(draw: st.DrawFn) -> tuple[World, list[Candidate]]:
    world = draw(worlds())
    nodes = {(c, n): (draw(st.sampled_from(CHANNELS)), draw(st.sampled_from(CATEGORIES)), draw(st.sampled_from([None, None, None, 1, 2, 3, 9])))
             for c in CAMPAIGNS for n in ("x", "y")}  # fmt: skip
    candidates = []
    for (campaign, node), (channel, category, product) in nodes.items():
        for customer in draw(st.sets(st.integers(1, 6), min_size=1, max_size=5)):
            late = draw(st.sampled_from([None, None, None, NOW + timedelta(hours=30), NOW - timedelta(hours=1)]))
            priority = draw(st.sampled_from([1, 2, 50]))
            candidates.append(Candidate(customer, channel, category, priority, campaign, node, product, late))
    for c in candidates:
        if draw(st.integers(0, 4)) == 0:
            world.reserved.append(Touched(c.touch_id, c.campaign, c.customer, c.channel, c.category, draw(ahead), None))
    for n in range(draw(st.integers(0, 4))):
        channel, category = draw(st.sampled_from(CHANNELS)), draw(st.sampled_from(CATEGORIES))
        world.reserved.append(Touched(f"r{n}", "z", draw(st.integers(1, 5)), channel, category, draw(ahead), None))
    return world, candidates


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBank]:
    root: Path = tmp_path_factory.mktemp("differential") / "home"
    build_small_bank(root, customers=5)
    with open_small_bank(root) as made:
        yield made


def load(bank: SmallBank, world: World) -> None:
    with bank.warehouse.writer() as con:
        for table in ("customers", "consents", "identities", "suppressions", "touches", "planned"):
            con.execute(f"DELETE FROM {table}")
        for p in world.people.values():
            con.execute(
                """INSERT INTO customers (customer_id, birth_date, manager_id, tier, risk_level, risk_assessed_on, is_staff)
                   VALUES (?, ?, ?, ?, ?, ?, ?)""",
                [p.customer, p.born, p.manager, p.tier, p.risk, p.assessed, p.staff],
            )
            same = "one" if p.customer in world.same_person else f"h{p.customer}"
            con.execute("INSERT INTO identities VALUES ('phone', ?, ?)", [same, p.customer])
        con.execute(
            f"""INSERT INTO consents SELECT customer_id, channel, purpose, opted_in, 'app', 'v1', consented FROM
                  (SELECT unnest({list(CHANNELS)}) AS channel), (SELECT unnest(['marketing', 'service']) AS purpose),
                  (VALUES {", ".join("(?::BIGINT, ?::BOOLEAN, ?::TIMESTAMP)" for _ in world.people)}) p (customer_id, opted_in, consented)""",
            [value for p in world.people.values() for value in (p.customer, p.opted_in, p.consented)],
        )
        for customer, reason in world.suppressed.items():
            con.execute("INSERT INTO suppressions VALUES (?, ?, NULL, NULL)", [customer, reason])
        for t in world.touches:
            sent = None if t.status == "queued" else t.moment
            con.execute(
                """INSERT INTO touches (touch_id, campaign_id, customer_id, channel, category, status, decided_at, sent_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                [t.touch_id, t.campaign, t.customer, t.channel, t.category, t.status, t.moment, sent],
            )
        for r in world.reserved:
            row = [r.touch_id, r.campaign, r.customer, r.channel, r.category, r.moment, NOW]
            con.execute("INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        # One that is made later says nothing about now.
        con.execute("INSERT INTO planned VALUES ('later', 'z', 1, 'sms', 'marketing', ?, ?)", [NOW, NOW + timedelta(1)])


def decide_quickly(
    bank: SmallBank, candidates: list[Candidate], policy: ThrottlePolicy, maxima: dict[str, int]
) -> dict[str, Decision]:
    with bank.warehouse.overlay() as con:
        tick = put(con, candidates)
        table = decide(con, tick, AS_OF, policy, bank.segments, limits=maxima, reserved="planned")
        rows = con.execute(f"SELECT touch_id, decision, rule, until FROM {table}").fetchall()
        left = con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall()[0][0]
    assert len(rows) == len(candidates)
    assert left == 2  # the candidates and the answer: nothing else is left behind
    return {touch: Decision(*rest) for touch, *rest in rows}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(ticks(), policies(), st.sampled_from([{}, {"a": 1}, {"a": 2, "b": 0}]))
def test_the_engine_decides_like_the_plain_one(
    master: SmallBank, tick: tuple[World, list[Candidate]], policy: ThrottlePolicy, maxima: dict[str, int]
) -> None:
    world, candidates = tick
    master.run(
        """CREATE TABLE IF NOT EXISTS planned (touch_id VARCHAR, campaign_id VARCHAR, customer_id BIGINT, channel VARCHAR,
           category VARCHAR, planned_at TIMESTAMP, made_at TIMESTAMP)"""
    )
    load(master, world)
    assert decide_quickly(master, candidates, policy, maxima) == decide_slowly(
        world, candidates, AS_OF.astimezone(UTC), policy, maxima
    )


def test_a_reservation_counts_once_it_is_made_and_for_others(bank: SmallBank) -> None:
    bank.run(
        """CREATE TABLE standing_reservations AS SELECT 'z.x.1' AS touch_id, 'z' AS campaign_id, 1 AS customer_id, 'sms' AS channel,
           'marketing' AS category, ?::TIMESTAMP AS planned_at, ?::TIMESTAMP AS made_at""",
        NOW + timedelta(hours=2), NOW,
    )  # fmt: skip
    policy = ThrottlePolicy(caps=(Cap(name="day", scope="global", window=Rolling(hours=24), max=1),), quiet_hours=())
    own = Candidate(1, campaign="z", node="x")
    assert decisions(bank, [Candidate(1)], AS_OF, policy)["new.touch_1.1"].rule == "cap_day"
    assert decisions(bank, [own], AS_OF, policy)["z.x.1"].rule == "allowed"
    assert decisions(bank, [Candidate(1)], AS_OF - timedelta(hours=1), policy)["new.touch_1.1"].rule == "allowed"
