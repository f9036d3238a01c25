"""What customers bought, hold and gave back: purchases, from which holdings and balances follow."""

from warehouse.demo_bank.people import last_average, tier
from warehouse.demo_bank.world import World

WEALTH_SHELF = {
    "R1": (201, 208),
    "R2": (201, 202, 203, 204, 205, 208),
    "R3": (202, 203, 204, 205, 206),
    "R4": (203, 204, 205, 206, 207),
    "R5": (204, 205, 206, 207),
}
"""What customers of a risk level buy; never a product riskier than their level."""
FUND_SHELF = {
    "R1": (401,),
    "R2": (302, 302, 401),
    "R3": (302, 303, 303, 501),
    "R4": (301, 302, 303, 501),
    "R5": (301, 303, 304),
}
CAMPAIGN_FUNDS = {"R1": (302,), "R2": (302,), "R3": (302, 303), "R4": (301, 303), "R5": (301, 304)}
DEPOSIT_SHELF = (101, 102, 103, 104)


def purchases(world: World) -> None:
    """Make TEMP table `bought`: every purchase with its end (matured or redeemed) if that has passed; bank times.

    `k` numbers a customer's purchases: 0–9 held wealth, 10–19 funds, 20–29 deposits, 30–39 past ones, 40 + n campaign n's.
    """
    d = world.dice
    k = "customer_id * 64 + k"
    wealth_part = f"(0.15 + 0.5 * {d.u('wealth part')}) / n"
    holds = f"investor AND {d.u('holds')} < 0.86"
    world.run(f"""
        CREATE TEMP TABLE lot AS
        SELECT customer_id, k, 'wealth' AS shelf, NULL::TIMESTAMP AS at_time, wealth_aim * {wealth_part} * (0.7 + 0.6 * {d.u("lot", k)}) AS amount
        FROM (SELECT *, unnest(range(n)) AS k FROM (
            SELECT *, 1 + floor(2.9 * pow({d.u("lots")}, 2))::BIGINT AS n FROM trait WHERE {holds}))
        UNION ALL
        SELECT customer_id, 10, 'fund', NULL, wealth_aim * (0.02 + 0.13 * {d.u("fund part")})
        FROM trait WHERE risk_level IS NOT NULL AND years >= 18 AND {d.u("fund")} < CASE WHEN investor THEN 0.30 ELSE 0.03 END
        UNION ALL
        SELECT customer_id, 20, 'deposit', NULL, wealth_aim * (0.10 + 0.15 * {d.u("deposit part")})
        FROM trait WHERE years >= 18 AND wealth_aim > 3000 AND {d.u("deposit")} < 0.12 + 0.10 * (years >= 50)::INT
        UNION ALL
        SELECT customer_id, 30 + k, 'past', NULL, wealth_aim * (0.1 + 0.4 * {d.u("past", k)})
        FROM (SELECT *, unnest(range(1 + {d.below(2, "past lots")})) AS k FROM trait WHERE investor AND {d.u("past buyer")} < 0.6)
        UNION ALL
        SELECT customer_id, 40 + n, 'campaign ' || kind, occurred, wealth_aim * (0.03 + 0.10 * {d.u("campaign amount", "customer_id * 64 + n")})
        FROM goal JOIN trait USING (customer_id) WHERE event = 'purchase'
    """)
    world.run(f"""
        CREATE TEMP TABLE bought AS
        WITH shelved AS (
            SELECT l.*, t.risk_level, t.opened_on, t.account_days, t.years, t.last_login, t.operated, {d.u("product", k)} AS pick,
                {d.u("bought", k)} AS when_u, {d.u("bought branch", k)} AS branch_u,
                {d.seconds("bought time", k)} AS day_part
            FROM lot l JOIN trait t USING (customer_id)
        ), chosen AS (
            SELECT *, CASE shelf WHEN 'deposit' THEN {_pick(DEPOSIT_SHELF)} WHEN 'campaign deposit' THEN {_pick(DEPOSIT_SHELF[1:])}
                WHEN 'fund' THEN {_by_level(FUND_SHELF)} WHEN 'campaign fund' THEN {_by_level(CAMPAIGN_FUNDS)}
                ELSE {_by_level(WEALTH_SHELF)} END AS product_id
            FROM shelved
        ), dated AS (
            SELECT c.*, p.kind, p.term_days,
                CASE WHEN shelf = 'past' THEN {world.today_sql} - (100 + floor(when_u * 300))::INTEGER
                     WHEN at_time IS NOT NULL THEN at_time::DATE
                     WHEN p.kind = 'insurance' OR term_days IS NULL THEN {world.today_sql} - (1 + floor(when_u * 540))::INTEGER
                     ELSE {world.today_sql} - (1 + floor(when_u * (term_days - 1)))::INTEGER END AS drawn_on
            FROM chosen c JOIN products p USING (product_id)
        ), timed AS (
            SELECT *, CASE WHEN at_time IS NOT NULL THEN at_time
                ELSE greatest(drawn_on, least(opened_on + 1, {world.today_sql} - 1))::TIMESTAMP + to_seconds(day_part) END AS bought_at,
                round(greatest(100, CASE WHEN amount >= 5000 THEN floor(amount / 1000) * 1000 ELSE floor(amount / 100) * 100 END), 2)::DECIMAL(18, 2) AS paid
            FROM dated
        ), ended AS (
            SELECT *, CASE WHEN kind <> 'fund' AND kind <> 'gold' AND term_days IS NOT NULL THEN bought_at::DATE + term_days END AS matures_on,
                CASE WHEN shelf = 'past' THEN bought_at + to_days(least(coalesce(term_days, 60), 30 + floor(when_u * 60)::INTEGER)) END AS past_end
            FROM timed
        )
        SELECT customer_id, k::BIGINT AS k, shelf, product_id, kind, paid AS amount, bought_at, matures_on,
            CASE WHEN past_end IS NOT NULL THEN past_end
                 WHEN matures_on < {world.today_sql} THEN matures_on::TIMESTAMP + INTERVAL 30 HOUR - INTERVAL 1 DAY END AS ended_at,
            CASE WHEN last_login IS NULL OR bought_at::DATE > last_login::DATE OR branch_u < 0.16 + 0.3 * (years >= 60)::INT THEN 'branch' ELSE 'app' END AS channel,
            CASE WHEN operated AND branch_u < 0.6 THEN 'staff' ELSE 'customer' END AS actor
        FROM ended WHERE bought_at >= opened_on AND bought_at <= {world.now_sql}
        ORDER BY customer_id, k
    """)
    world.run("CREATE TEMP TABLE position AS FROM bought WHERE ended_at IS NULL")
    world.run("""
        INSERT INTO holdings
        SELECT customer_id * 64 + k, customer_id, product_id, amount, bought_at::DATE, matures_on FROM position ORDER BY customer_id, k
    """)


def monthly(world: World) -> None:
    """Fill 13 month-ends. Activity is counted from the logins where the history of logins covers the month.

    The last month's average belongs to `aum_30d_ago`, earlier ones walk away from it; a customer has rows from
    the month in which the account was opened.
    """
    d = world.dice
    world.run(f"""
        CREATE TEMP TABLE path AS
        SELECT t.customer_id, t.opened_on, {last_average(world)}::DOUBLE AS average, 0.012 + 0.03 * {d.normal("growth")} AS growth,
            {d.u("regular")} AS regular, t.login_days, t.has_mobile_bank, t.is_payroll, t.salary
        FROM trait t JOIN balance USING (customer_id) ORDER BY t.customer_id
    """)
    for back, month in zip(range(12, -1, -1), world.months, strict=True):
        end = f"DATE '{month}'"
        row = f"customer_id * 16 + {back}"
        average = f"round(average * exp(-growth * {back} + {0.05 if back else 0.0} * {d.normal('month', row)}), 2)"
        covered = (world.today - month.replace(day=1)).days < 90
        active = (
            f"customer_id IN (SELECT customer_id FROM events WHERE name = 'login' AND occurred_at >= {world.utc(f'date_trunc({chr(39)}month{chr(39)}, {end})')}"
            f" AND occurred_at < {world.utc(f'({end} + 1)::TIMESTAMP')})"
            if covered
            else f"(has_mobile_bank AND regular < 0.73 AND {d.u('active month', row)} < 0.85)"
        )
        world.run(f"""
            INSERT INTO monthly
            SELECT customer_id, {end}, average::DECIMAL(18, 2), {tier("average::DECIMAL(18, 2)")}, active, active AND average >= 10000,
                CASE WHEN is_payroll THEN {salary(world, month, "opened_on", "customer_id")} END
            FROM (SELECT * REPLACE ({average} AS average), {active} AS active FROM path WHERE opened_on <= {end})
            ORDER BY customer_id
        """)


def salary(world: World, month: object, opened_on: str, row: str) -> str:
    """SQL for a month's salary to the cent: a few per cent of noise, a bonus before the Spring Festival."""
    noise = world.dice.u(f"salary {month:%Y-%m}", row)
    bonus = 1.8 if f"{month:%m}" == "01" else 1.0
    return (
        f"CASE WHEN {opened_on} < date_trunc('month', DATE '{month}') "
        f"THEN round(salary * {bonus} * (0.96 + 0.08 * {noise}), 2)::DECIMAL(18, 2) END"
    )


def _pick(products: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, products))}][1 + floor(pick * {len(products)})::INTEGER]"


def _by_level(shelf: dict[str, tuple[int, ...]]) -> str:
    cases = " ".join(f"WHEN '{level}' THEN {_pick(products)}" for level, products in shelf.items())
    return f"CASE risk_level {cases} END"
