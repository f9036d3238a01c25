"""Who may be contacted and where: consents, suppressions, One-ID, the vault of contacts, and benefits granted."""

from warehouse.demo_bank.cast import BENEFITS, GIVEN_F, GIVEN_M, SURNAMES
from warehouse.demo_bank.world import World

CONSENT = {"sms": 0.80, "push": 0.82, "inapp": 0.95, "wecom": 0.88, "email": 0.55, "call": 0.62, "task": 0.93}
"""Share of marketing consents given, by channel, among customers who were asked there."""
ASKED = {
    "sms": "TRUE", "push": "has_mobile_bank", "inapp": "has_mobile_bank", "wecom": "wecom_bound",
    "email": "customer_id % 10 < 4", "call": "TRUE", "task": "manager_id IS NOT NULL",
}  # fmt: skip


def suppressions(world: World) -> None:
    """Every reason occurs; open complaints have their complaint event (TEMP table `open_complaint`)."""
    d = world.dice
    reasons = [
        ("refused", f"{d.u('refused')} < 0.025", 900), ("complaint_open", f"{d.u('open complaint')} < 0.004", 18),
        ("deceased", f"years > 35 AND {d.u('deceased')} < 0.006", 700), ("frozen", f"{d.u('frozen')} < 0.004", 500),
        ("fraud", f"{d.u('fraud')} < 0.003", 500), ("overdue", f"loan_balance > 0 AND {d.u('overdue')} < 0.05", 120),
        ("minor", "years < 18", 0), ("staff", "is_staff", 0),
    ]  # fmt: skip
    parts = []
    for reason, condition, days in reasons:
        ago = f"1 + {d.below(days, reason + ' since')}" if days else "account_days"
        since = f"({world.today_sql} - least({ago}, account_days)::INTEGER)::TIMESTAMP + INTERVAL 10 HOUR"
        until = "since + INTERVAL 365 DAY" if reason == "overdue" else "NULL"
        if reason == "minor":
            until = "birth_date::TIMESTAMP + INTERVAL 18 YEAR"
        parts.append(
            f"SELECT customer_id, '{reason}' AS reason, since, ({until})::TIMESTAMP AS until"
            f" FROM (SELECT *, {since} AS since FROM trait WHERE {condition})"
        )
    world.run(f"CREATE TEMP TABLE suppressed AS {' UNION ALL '.join(parts)}")
    world.run(
        f"INSERT INTO suppressions SELECT customer_id, reason, {world.utc('since')}, {world.utc('until')}"
        " FROM suppressed ORDER BY customer_id, reason"
    )
    world.run(
        "CREATE TEMP TABLE open_complaint AS SELECT customer_id, since - INTERVAL 20 MINUTE AS since_local"
        " FROM suppressed WHERE reason = 'complaint_open'"
    )


def consents(world: World) -> None:
    """One row per channel and purpose at which a customer was asked; refusals are rows too."""
    d = world.dice
    for channel in sorted(ASKED):
        for purpose in ("marketing", "service"):
            stream = f"consent {channel} {purpose}"
            given = CONSENT[channel] if purpose == "marketing" else 0.985
            days = f"least({d.below(900, stream + ' on')}, account_days - 1)"
            refused = "customer_id NOT IN (SELECT customer_id FROM suppressed WHERE reason = 'refused')"
            yes = f"{d.u(stream)} < {given}" + (f" AND {refused}" if purpose == "marketing" else "")
            source = "wecom" if channel == "wecom" else "app" if channel in ("push", "inapp") else "account_opening"
            world.run(f"""
                INSERT INTO consents
                SELECT customer_id, '{channel}', '{purpose}', {yes}, '{source}', CASE WHEN day < 400 THEN 'v2' ELSE 'v1' END,
                    {world.utc(f"({world.today_sql} - day::INTEGER)::TIMESTAMP + INTERVAL 8 HOUR")}
                FROM (SELECT *, {days} AS day FROM trait WHERE {ASKED[channel]}) ORDER BY customer_id
            """)


def identities(world: World, key: bytes) -> None:
    """HMAC-SHA-256 of phones, devices, WeCom ids and accounts; two records of one person share the phone."""
    block = key.ljust(64, b"\0")
    inner, outer = bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
    # RFC 2104 in SQL: H(K xor opad, H(K xor ipad, text)).
    hmac = "sha256($outer::BLOB || unhex(sha256($inner::BLOB || encode(value))))"
    world.run(
        f"""
        INSERT INTO identities
        SELECT kind, {hmac}, customer_id FROM (
            SELECT 'phone' AS kind, {phone("person_id")} AS value, customer_id FROM trait WHERE NOT ({no_phone(world)})
            UNION ALL SELECT 'account', 'account ' || customer_id, customer_id FROM trait
            UNION ALL SELECT 'device', 'device ' || person_id, customer_id FROM trait WHERE has_mobile_bank
            UNION ALL SELECT 'wecom', 'wecom ' || person_id, customer_id FROM trait WHERE wecom_bound
        ) ORDER BY kind, customer_id
        """,
        {"inner": inner, "outer": outer},
    )


def no_phone(world: World) -> str:
    return f"{world.dice.u('no phone', 'person_id')} < 0.02"


def phone(person: str) -> str:
    """SQL for a number in a range that is obviously made up: 199-0000-0042 for person 42."""
    return f"'1990' || lpad({person}::VARCHAR, 7, '0')"


def contacts(world: World, vault: str) -> None:
    """Fill the vault, which is attached under the name `vault` and is no part of the warehouse."""
    d = world.dice

    def one_of(words: list[str], stream: str) -> str:
        listed = ", ".join(f"'{w}'" for w in words)
        return f"[{listed}][1 + {d.below(len(words), stream, 'person_id')}]"

    given = f"CASE gender WHEN 'F' THEN {one_of(GIVEN_F, 'given')} ELSE {one_of(GIVEN_M, 'given')} END"
    world.run(f"""
        INSERT INTO {vault}.contacts
        SELECT customer_id, {one_of(SURNAMES, "surname")} || {given}, CASE WHEN NOT ({no_phone(world)}) THEN {phone("person_id")} END,
            CASE WHEN {ASKED["email"]} THEN 'customer' || person_id || '@example.com' END
        FROM trait ORDER BY customer_id
    """)


def grants(world: World, of_campaigns: dict[str, int]) -> None:
    """Benefits: issued with the first touch of the campaigns that had one, and as a monthly routine."""
    d = world.dice
    row = "grant_id"
    cases = (
        " ".join(f"WHEN '{campaign}' THEN {benefit}" for campaign, benefit in of_campaigns.items()) or "WHEN '' THEN 0"
    )
    days = " ".join(f"WHEN {b.benefit_id} THEN {b.days}" for b in BENEFITS)
    taste = " ".join(f"WHEN {b.benefit_id} THEN {0.35 + 0.06 * b.benefit_id}" for b in BENEFITS)
    routine = f"CASE WHEN {d.u('routine kind')} < 0.6 THEN 3 WHEN {d.u('routine kind')} < 0.9 THEN 5 ELSE 6 END"
    routine_at = f"({world.today_sql} - 1 - {d.below(120, 'routine day')}::INTEGER)::TIMESTAMP + INTERVAL 10 HOUR"
    world.run(f"""
        INSERT INTO grants
        WITH issued AS (
            SELECT CASE campaign_id {cases} END AS benefit_id, customer_id, touch_id, sent_at AS issued_at, campaign_id
            FROM touches WHERE wave = 1 AND status = 'sent' AND CASE campaign_id {cases} END IS NOT NULL
            UNION ALL
            SELECT {routine}, customer_id, NULL, {world.utc(routine_at)}, NULL
            FROM trait WHERE has_mobile_bank AND account_days > 130 AND {d.u("routine")} < 0.12
        ), numbered AS (
            SELECT *, customer_id * 16 + CASE WHEN campaign_id IS NULL THEN 0
                ELSE list_position({sorted(of_campaigns)!r}::VARCHAR[], campaign_id) END AS grant_id,
                CASE benefit_id {days} END AS days, CASE benefit_id {taste} END AS taste
            FROM issued
        ), claimed AS (
            SELECT *, CASE WHEN {d.u("claims", row)} < taste
                THEN issued_at + to_seconds(600 + floor(pow({d.u("claimed", row)}, 2) * days * 40000)::BIGINT) END AS claimed_at FROM numbered
        ), redeemed AS (
            SELECT *, CASE WHEN claimed_at <= {world.utc(world.now_sql)} THEN claimed_at END AS claimed,
                CASE WHEN {d.u("redeems", row)} < 0.55
                THEN claimed_at + to_seconds(300 + floor(pow({d.u("redeemed", row)}, 2) * days * 40000)::BIGINT) END AS redeemed_at FROM claimed
        )
        SELECT grant_id, benefit_id, customer_id, touch_id, issued_at, claimed,
            CASE WHEN redeemed_at <= {world.utc(world.now_sql)} THEN redeemed_at END,
            CASE WHEN issued_at + to_days(days) <= {world.utc(world.now_sql)} AND redeemed_at IS NULL THEN issued_at + to_days(days) END
        FROM redeemed ORDER BY grant_id
    """)
