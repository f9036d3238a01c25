"""Events, one name after the other in the order in which they are stored: by name, then by time."""

from dataclasses import dataclass

from warehouse.demo_bank.dice import Dice
from warehouse.demo_bank.positions import salary
from warehouse.demo_bank.world import HISTORY_DAYS, World
from warehouse.schema import EVENTS

CODES = {name: code for code, name in enumerate(EVENTS)}


@dataclass(frozen=True)
class Rows:
    """SELECT bodies of one event: columns customer_id, k (unique per customer and event), at_time (bank time),
    channel, product_id, amount, actor, properties."""

    name: str
    select: str


def events(world: World) -> None:
    """Fill `events`; needs trait, bought, goal and caused_complaint."""
    _sessions(world)
    _intents(world)
    for rows in sorted(_all(world), key=lambda r: r.name):
        world.run(f"""
            INSERT INTO events
            SELECT (customer_id * 32 + {CODES[rows.name]}) * 4096 + k, customer_id, '{rows.name}', {world.utc("at_time")}, channel,
                product_id, amount::DECIMAL(18, 2), actor, properties::JSON
            FROM ({rows.select}) WHERE at_time <= {world.now_sql} ORDER BY at_time, customer_id, k
        """)


def _sessions(world: World) -> None:
    """TEMP table `session`: the logins. The first of a customer is the last login; all others are on earlier days.

    Weekends are quieter: three in ten of their logins happen on the Thursday or Friday before.
    """
    d = world.dice
    row = "customer_id * 4096 + k"
    many = exponential(d, "CASE WHEN login_days < 30 THEN 11 WHEN login_days < 60 THEN 3 ELSE 1 END", "logins")
    world.run(f"""
        CREATE TEMP TABLE session AS
        WITH earlier AS (
            SELECT customer_id, k, ({world.today_sql} - day)::TIMESTAMP + to_seconds({d.seconds("session time", row)}) AS at_time, operated
            FROM (SELECT *, drawn + CASE WHEN isodow({world.today_sql} - drawn) >= 6 AND {d.u("weekday", row)} < 0.3 THEN 2 ELSE 0 END AS day
                FROM (SELECT *, (login_days + 1 + floor({d.u("session day", row)} * ({HISTORY_DAYS} - login_days)))::INTEGER AS drawn
                    FROM (SELECT *, 1 + unnest(range(({many})::BIGINT)) AS k FROM trait WHERE login_days < {HISTORY_DAYS - 1})))
            WHERE day < account_days
        ), all_logins AS (
            FROM earlier UNION ALL SELECT customer_id, 0, last_login, operated FROM trait WHERE last_login IS NOT NULL
        )
        SELECT customer_id, k, at_time, CASE WHEN {d.u("session channel", row)} < 0.9 THEN 'app'
                WHEN {d.u("session channel", row)} < 0.96 THEN 'mini_program' ELSE 'web' END AS channel,
            CASE WHEN operated AND {d.u("session actor", row)} < 0.88 THEN 'staff' ELSE 'customer' END AS actor
        FROM all_logins
        UNION ALL
        SELECT customer_id, 3000 + n, occurred, 'app', 'customer' FROM goal WHERE event = 'login'
    """)


def exponential(dice: Dice, mean: str, name: str, limit: int = 60) -> str:
    """SQL for a whole number of occurrences with that mean: many have few, few have many."""
    return f"least({limit}, floor(-({mean}) * ln(1 - {dice.u(name + ' n')}) + 0.5))"


def _intents(world: World) -> None:
    """TEMP table `intent`: visits to a product page with the stage reached (1 view, 2 buy clicked, 3 assessed,
    4 password asked, 5 bought). Purchases in the app are the intents that went all the way.
    """
    d = world.dice
    row = "customer_id * 64 + k"
    hot = f"floor(pow({d.u('hot day', row)}, 1.5) * 9)"
    calm = f"floor({d.u('view day', row)} * {HISTORY_DAYS})"
    world.run(f"""
        CREATE TEMP TABLE intent AS
        WITH visits AS (
            SELECT customer_id, unnest(range(n)) AS k, hot, login_days, opened_on, risk_level, operated FROM (
                SELECT *, floor(least(12, CASE WHEN hot THEN 3 + 3 * {d.u("visits")} ELSE
                    -CASE WHEN investor THEN 2.6 ELSE 1.3 END * ln(1 - {d.u("visits")}) END))::BIGINT AS n
                FROM trait WHERE login_days < {HISTORY_DAYS} AND years >= 18)
        ), timed AS (
            SELECT *, {world.today_sql} - (login_days + CASE WHEN hot THEN {hot} ELSE {calm} END)::INTEGER AS day,
                {d.u("stage", row)} AS s,
                {d.choose([("'wealth'", 0.52), ("'fund'", 0.16), ("'deposit'", 0.12), ("'loan'", 0.08), ("'credit_card'", 0.06), ("'gold'", 0.03), ("'insurance'", 0.03)], "view kind", row)} AS kind
            FROM visits
        )
        SELECT t.customer_id, t.k, CASE WHEN s < 0.76 THEN 1 WHEN s < 0.93 OR risk_level IS NULL THEN 2 ELSE 4 END AS stage,
            day::TIMESTAMP + to_seconds(CASE WHEN day = {world.today_sql} THEN floor({d.u("view today", row)} * {world.now.hour * 3600 - 600})::BIGINT
                ELSE {d.seconds("view time", row)} END) AS at_time,
            p.products[1 + floor({d.u("viewed", row)} * len(p.products))::INTEGER] AS product_id,
            CASE WHEN operated AND {d.u("view actor", row)} < 0.5 THEN 'staff' ELSE 'customer' END AS actor
        FROM timed t JOIN (SELECT kind, list(product_id ORDER BY product_id) AS products FROM products GROUP BY kind) p USING (kind)
        WHERE day > {world.today_sql} - {HISTORY_DAYS} AND day > opened_on
        UNION ALL  -- assessed lately: it was the step that broke the purchase off, or the last but one
        SELECT customer_id, 100, CASE WHEN {d.u("after assessment")} < 0.5 THEN 3 ELSE 4 END,
            risk_assessed_on::TIMESTAMP + to_seconds({d.seconds("assessment time")} - 180), 204,
            CASE WHEN operated THEN 'staff' ELSE 'customer' END
        FROM trait WHERE last_login >= risk_assessed_on AND risk_assessed_on > {world.today_sql} - 120 AND risk_assessed_on < {world.today_sql}
        UNION ALL
        SELECT customer_id, 200 + k, 5, bought_at - to_seconds(150 + {d.below(900, "decides", row)}), product_id, actor
        FROM bought WHERE channel = 'app'
    """)


def _all(world: World) -> list[Rows]:
    d = world.dice
    none = "NULL AS product_id, NULL AS amount"
    own = "'customer' AS actor"
    no_more = "NULL AS properties"

    def spread(table: str, n: str, name: str, days: int = HISTORY_DAYS, where: str = "TRUE") -> str:
        """n occurrences per customer at days of the past, with a time of day; nothing before the account's first day."""
        row = "customer_id * 512 + k"
        return (
            f"SELECT *, {d.u(name + ' pick', row)} AS pick, ({world.today_sql} - day::INTEGER)::TIMESTAMP + to_seconds({d.seconds(name + ' time', row)}) AS at_time"
            f" FROM (SELECT *, 1 + floor({d.u(name + ' day', row)} * {days}) AS day FROM (SELECT *, unnest(range(n)) AS k FROM"
            f" (SELECT *, ({n})::BIGINT AS n FROM {table} WHERE {where}))) WHERE day < account_days"
        )

    return [
        Rows("login", f"SELECT customer_id, k, at_time, channel, {none}, actor, {no_more} FROM session"),
        Rows("view_product", f"SELECT customer_id, k, at_time, 'app' AS channel, product_id, NULL AS amount, actor, {no_more} FROM intent"),
        Rows("click_buy", f"SELECT customer_id, k, at_time + INTERVAL 45 SECOND AS at_time, 'app' AS channel, product_id, NULL AS amount, actor, {no_more} FROM intent WHERE stage >= 2"),
        Rows("password_prompt", f"SELECT customer_id, k, at_time + INTERVAL 105 SECOND + CASE WHEN k = 100 THEN INTERVAL 120 SECOND ELSE INTERVAL 0 SECOND END AS at_time, 'app' AS channel, product_id, NULL AS amount, actor, {no_more} FROM intent WHERE stage >= 4"),
        Rows("risk_assessment", f"""
            SELECT customer_id, 0 AS k, CASE WHEN risk_assessed_on = {world.today_sql} THEN risk_assessed_on::TIMESTAMP + INTERVAL 8 HOUR
                    ELSE risk_assessed_on::TIMESTAMP + to_seconds({d.seconds("assessment time")}) END AS at_time,
                CASE WHEN last_login >= risk_assessed_on AND {d.u("assessed at")} < 0.85 THEN 'app' ELSE 'branch' END AS channel, {none},
                CASE WHEN operated THEN 'staff' ELSE 'customer' END AS actor, '{{"result":"' || risk_level || '"}}' AS properties
            FROM trait WHERE risk_assessed_on IS NOT NULL
            UNION ALL
            SELECT customer_id, 1, (risk_assessed_on - (366 + {d.below(90, "earlier assessment")})::INTEGER)::TIMESTAMP + to_seconds({d.seconds("earlier time")}),
                'app', NULL, NULL, 'customer', '{{"result":"' || risk_level || '"}}'
            FROM trait WHERE risk_assessed_on > opened_on + 460 AND last_login >= risk_assessed_on AND {d.u("assessed before")} < 0.5"""),
        Rows("purchase", """
            SELECT customer_id, k, bought_at AS at_time, channel, product_id, amount, actor,
                CASE WHEN row_number() OVER (PARTITION BY customer_id, kind ORDER BY bought_at, k) = 1 THEN '{"first":true}' ELSE '{"first":false}' END AS properties
            FROM bought"""),
        Rows("redeem", f"SELECT customer_id, k, ended_at AS at_time, CASE WHEN shelf = 'past' THEN channel ELSE 'system' END AS channel, product_id, amount, {own}, {no_more} FROM bought WHERE ended_at IS NOT NULL"),
        Rows("transfer", f"""
            SELECT customer_id, k, at_time, CASE WHEN has_mobile_bank THEN 'app' ELSE 'branch' END AS channel, NULL AS product_id,
                round(greatest(10, exp(5.2 + 0.25 * log_aum + 1.1 * (pick - 0.5) * 4)), 2) AS amount, {own},
                CASE WHEN pick < 0.6 THEN '{{"direction":"other_bank"}}' ELSE '{{"direction":"same_bank"}}' END AS properties
            FROM ({spread("trait", exponential(d, "0.5 + 0.9 * has_mobile_bank::INT", "transfers", 20), "transfer", 60)})"""),
        Rows("pay", f"""
            SELECT customer_id, k, at_time, CASE WHEN third_party_pay_bound THEN 'app' ELSE 'branch' END AS channel, NULL AS product_id,
                round(greatest(1, monthly_spend * 3 / n * (0.3 + 1.4 * pick)), 2) AS amount, {own},
                CASE WHEN pick < 0.3 THEN '{{"merchant":"dining"}}' WHEN pick < 0.52 THEN '{{"merchant":"grocery"}}'
                    WHEN pick < 0.72 THEN '{{"merchant":"online"}}' WHEN pick < 0.9 THEN '{{"merchant":"transport"}}'
                    ELSE '{{"merchant":"utility"}}' END AS properties
            FROM ({spread("trait", exponential(d, "1.5 + 4 * third_party_pay_bound::INT", "payments", 40), "pay", HISTORY_DAYS, "monthly_spend > 0")})"""),
        Rows("salary_credit", _salaries(world)),
        Rows("bind_card", f"""
            SELECT customer_id, 0 AS k, at_time, 'app' AS channel, {none}, {own},
                CASE WHEN pick < 0.6 THEN '{{"wallet":"wechat"}}' ELSE '{{"wallet":"alipay"}}' END AS properties
            FROM ({spread("trait", "1", "bind", 900, "third_party_pay_bound")})
            UNION ALL
            SELECT customer_id, 3000 + n, occurred, 'app', NULL, NULL, 'customer', '{{"wallet":"wechat"}}' FROM goal WHERE event = 'bind_card'"""),
        Rows("activate_card", f"SELECT customer_id, k, at_time, 'app' AS channel, {none}, {own}, {no_more} FROM ({spread('trait', '1', 'activate', 700, 'card_activated')})"),
        Rows("view_page", _pages(world, "view")),
        Rows("close_page", _pages(world, "close")),
        Rows("slot_shown", _slots(world, "slot_shown")),
        Rows("slot_clicked", _slots(world, "slot_clicked")),
        Rows("branch_visit", f"""
            SELECT customer_id, k, at_time::DATE::TIMESTAMP + to_seconds(32400 + {d.below(25200, "visit hour", "customer_id * 64 + k")}) AS at_time,
                'branch' AS channel, {none}, {own},
                CASE WHEN pick < 0.6 THEN '{{"purpose":"counter"}}' WHEN pick < 0.85 THEN '{{"purpose":"advice"}}' ELSE '{{"purpose":"card"}}' END AS properties
            FROM ({spread("trait", exponential(d, "0.15 + 0.012 * years", "visits to branches", 8), "visit")})"""),
        Rows("complaint", f"""
            SELECT customer_id, k, at_time, CASE WHEN pick < 0.7 THEN 'hotline' ELSE 'app' END AS channel, {none}, {own},
                CASE WHEN pick < 0.3 THEN '{{"topic":"over_contact"}}' WHEN pick < 0.6 THEN '{{"topic":"service"}}'
                    WHEN pick < 0.85 THEN '{{"topic":"product"}}' ELSE '{{"topic":"system"}}' END AS properties
            FROM ({spread("trait", "1", "complaint", 400, d.u("complains") + " < 0.012")})
            UNION ALL
            SELECT customer_id, 3000 + n, occurred, 'hotline', NULL, NULL, 'customer', '{{"topic":"over_contact"}}' FROM caused_complaint
            UNION ALL
            SELECT customer_id, 4000, since_local, 'hotline', NULL, NULL, 'customer', '{{"topic":"service"}}' FROM open_complaint"""),
    ]  # fmt: skip


def _salaries(world: World) -> str:
    """A credit on each payday of the months on record and of the running month, with the month's amount."""
    parts = []
    running = world.today.replace(day=1)
    for number, first in enumerate([*(m.replace(day=1) for m in world.months), running]):
        month = world.months[number] if number < len(world.months) else world.today
        end = f"last_day(DATE '{first}')"
        day = f"least(DATE '{first}' + (payday - 1)::INTEGER, {end})"
        parts.append(f"""
            SELECT customer_id, {number}::BIGINT AS k, {day}::TIMESTAMP + to_seconds(21600 + {world.dice.below(9000, "salary time", f"customer_id * 16 + {number}")}) AS at_time,
                'system' AS channel, NULL AS product_id, {salary(world, month, "opened_on", "customer_id")} AS amount, 'customer' AS actor, NULL AS properties
            FROM trait WHERE is_payroll""")
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE amount IS NOT NULL"


def _pages(world: World, what: str) -> str:
    """Pages opened in some of the sessions, and some of those closed again after some seconds."""
    d = world.dice
    row = "customer_id * 4096 + k"
    pages = d.choose(
        [("'home'", 0.4), ("'wealth_channel'", 0.22), ("'transfer'", 0.16), ("'benefits'", 0.1), ("'card_channel'", 0.07), ("'loan_channel'", 0.05)],
        "page", row,
    )  # fmt: skip
    seconds = f"(5 + floor(-40 * ln(1 - 0.99 * {d.u('dwell', row)})))::BIGINT"
    shift = "INTERVAL 12 SECOND" if what == "view" else f"INTERVAL 12 SECOND + to_seconds({seconds})"
    more = f"""'","seconds":' || {seconds} || '}}'""" if what == "close" else """'"}'"""
    share = 0.30 if what == "view" else 0.22
    return f"""
        SELECT customer_id, k, at_time + {shift} AS at_time, channel, NULL AS product_id, NULL AS amount, actor,
            '{{"page":"' || ({pages}) || {more} AS properties
        FROM session WHERE {d.u("has page", row)} < {share}"""


def _slots(world: World, name: str) -> str:
    """Placements shown in a fifth of the sessions; one in seventeen is clicked ten seconds later."""
    d = world.dice
    row = "customer_id * 4096 + k"
    slots = d.choose([("'popup'", 0.4), ("'home_banner'", 0.4), ("'transfer_result'", 0.2)], "slot", row)
    later, clicked = (2, "TRUE") if name == "slot_shown" else (12, f"{d.u('slot clicked', row)} < 0.06")
    return f"""
        SELECT customer_id, k, at_time + INTERVAL {later} SECOND AS at_time, channel, NULL AS product_id, NULL AS amount, actor,
            '{{"slot":"' || ({slots}) || '"}}' AS properties
        FROM session WHERE {d.u("has slot", row)} < 0.2 AND {clicked}"""
