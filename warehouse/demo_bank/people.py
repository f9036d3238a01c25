"""Branches, staff, products and the customers' traits, from which everything else follows.

The TEMP table `trait` holds one row per customer: what the bank's tables show, and what they hide (`wealth_aim`,
the AUM aimed at; `investor`; `log_aum`). Two records of one person (One-ID) share `person_id`.
"""

from warehouse.demo_bank import cast
from warehouse.demo_bank.world import World


def fixed_tables(world: World) -> None:
    """Fill branches, staff, products and benefits; leave the manager ranges in TEMP table `manager_range`."""
    members, managers = cast.staff(world.customers)
    since, until = cast.on_sale(world.today)
    world.insert("branches", [(b.branch_id, b.name, b.city, b.level, b.parent_id) for b in cast.branches()])
    world.insert("staff", [(m.staff_id, m.name, m.role, m.branch_id) for m in members])
    world.insert(
        "products",
        [
            (p.product_id, p.name, p.kind, p.risk_level, p.term_days, p.benchmark_rate, since, until)
            for p in cast.PRODUCTS
        ],
    )
    world.insert(
        "benefits",
        [(b.benefit_id, b.name, b.kind, b.unit_cost, max(1000, world.customers), b.per_customer, since, until)
         for b in cast.BENEFITS],
    )  # fmt: skip
    world.run("CREATE TEMP TABLE manager_range (branch_id INTEGER, first INTEGER, n INTEGER, outlets INTEGER)")
    world.insert(
        "manager_range", [(b, first, n, len(cast.CITIES[b - 11].outlets)) for b, (first, n) in managers.items()]
    )


def traits(world: World) -> None:
    """Make TEMP table `trait`."""
    d = world.dice
    city = d.choose([(f"'{c.zh}'", c.share) for c in cast.CITIES], "city", "person_id")
    home_branch = " ".join(f"WHEN '{c.zh}' THEN {i}" for i, c in enumerate(cast.CITIES, 11))
    any_branch = d.choose([(str(i), c.share) for i, c in enumerate(cast.CITIES, 11)], "other branch")
    age = f"""CASE WHEN {d.u("age band", "person_id")} < 0.005 THEN 12 + 6 * x WHEN {d.u("age band", "person_id")} < 0.15 THEN 18 + 8 * x
        WHEN {d.u("age band", "person_id")} < 0.43 THEN 26 + 10 * x WHEN {d.u("age band", "person_id")} < 0.66 THEN 36 + 10 * x
        WHEN {d.u("age band", "person_id")} < 0.88 THEN 46 + 15 * x ELSE 61 + 24 * x * x END"""
    world.run(f"""
        CREATE TEMP TABLE trait AS
        WITH ids AS (
            SELECT i AS customer_id,
                CASE WHEN i > 20 AND {d.u("second record", "i")} < 0.015 THEN 1 + {
        d.below("i - 1", "same person", "i")
    } ELSE i END
                    AS person_id
            FROM range(1, {world.customers} + 1) t(i)
        ), born AS (
            SELECT *, ({age.replace("x", d.u("age", "person_id"))})::DOUBLE AS years, {city} AS city FROM ids
        ), base AS (
            SELECT *, CASE WHEN {d.u("gender", "person_id")} < 0.51 THEN 'F' ELSE 'M' END AS gender,
                ({world.today_sql} - (years * 365.2425)::INTEGER)::DATE AS birth_date,
                CASE WHEN {d.u("branch")} < 0.97 THEN CASE city {home_branch} END ELSE {any_branch} END AS branch_id,
                CASE WHEN {d.u("new")} < 0.07 THEN 1 + {d.below(99, "opened new")}
                     ELSE 100 + floor(pow({
        d.u("opened")
    }, 1.4) * least(5400, (years - 11) * 365))::BIGINT END AS account_days,
                {
        d.u("payroll")
    } < CASE WHEN years BETWEEN 22 AND 58 THEN 0.42 WHEN years >= 18 THEN 0.03 ELSE 0 END AS is_payroll,
                years >= 18 AND {d.u("staff")} < 0.012 AS is_staff
            FROM born
        ), money AS (
            SELECT *, CASE WHEN years < 18 THEN 5.5 + {d.normal("aum")}
                WHEN {d.u("rich")} < 0.009 AND years >= 28 THEN 14.6 + 1.0 * {d.normal("aum")}
                ELSE 8.3 + 0.8 * is_payroll::INT + 0.035 * (least(years, 62) - 30) + 2.0 * {
        d.normal("aum")
    } END AS log_drawn
            FROM base
        ), pulled AS (  -- many customers stop just below a tier, where the managers' attention begins
            SELECT *, least(exp(log_drawn), 4.5e7) AS drawn, {d.u("pull")} < 0.35 AS pull, 0.9 + 0.0999 * {
        d.u("near")
    } AS near FROM money
        ), aimed AS (
            SELECT *, CASE
                WHEN pull AND drawn BETWEEN 0.75 * {cast.AFFLUENT} AND 1.1 * {cast.AFFLUENT} THEN near * {cast.AFFLUENT}
                WHEN pull AND drawn BETWEEN 0.75 * {cast.WEALTH} AND 1.1 * {cast.WEALTH} THEN near * {cast.WEALTH}
                WHEN pull AND drawn BETWEEN 0.75 * {cast.PRIVATE} AND 1.1 * {cast.PRIVATE} THEN near * {cast.PRIVATE}
                ELSE drawn END AS wealth_aim
            FROM pulled
        ), shaped AS (
            SELECT *, ln(wealth_aim + 1) AS log_aum,
                years >= 18 AND {d.u("investor")} < 1 / (1 + exp(0.62 - 0.6 * (ln(wealth_aim + 1) - 10.8))) AS investor,
                {
        d.u("mobile")
    } < CASE WHEN years < 50 THEN 0.90 WHEN years < 60 THEN 0.74 WHEN years < 70 THEN 0.50 ELSE 0.22 END
                    AS has_mobile_bank,
                {
        d.u("managed")
    } < CASE WHEN wealth_aim >= 50000 THEN 0.85 WHEN wealth_aim >= 10000 THEN 0.25 ELSE 0.04 END
                    AS managed,
                years >= 20 AND years < 66 AND {d.u("credit card")} < 0.28 + 0.14 * is_payroll::INT AS has_credit_card,
                {d.u("risk")} + CASE WHEN years >= 60 THEN -0.18 WHEN years < 35 THEN 0.08 ELSE 0 END AS appetite
            FROM aimed
        ), assessed AS (
            SELECT *, investor OR (years >= 18 AND {d.u("assessed")} < 0.58) AS was_assessed,
                CASE WHEN {d.u("assessed lately")} < CASE WHEN investor THEN 0.84 ELSE 0.62 END THEN {
        d.below(365, "assessed on")
    }
                     ELSE 366 + {d.below(800, "assessed on")} END AS assessed_days,
                CASE WHEN NOT has_mobile_bank OR {d.u("never logged in")} < 0.04 THEN NULL
                     WHEN {d.u("login band")} < 0.64 THEN floor(30 * pow({d.u("login")}, 2.2))::BIGINT
                     WHEN {d.u("login band")} < 0.77 THEN 30 + {d.below(30, "login")}
                     ELSE 60 + floor(-160 * ln(1 - 0.98 * {d.u("login")}))::BIGINT END AS login_days
            FROM shaped
        ), outlets AS (
            SELECT a.*, a.branch_id * 100 + 1 + {d.below("r.outlets", "outlet")} AS outlet_id,
                CASE WHEN managed THEN r.first + {d.below("r.n", "manager")} END AS manager_id
            FROM assessed a JOIN manager_range r USING (branch_id)
        )
        SELECT customer_id, person_id, gender, birth_date, years, city, branch_id, outlet_id, manager_id, is_staff,
            ({world.today_sql} - account_days::INTEGER)::DATE AS opened_on, account_days, wealth_aim, log_aum, investor,
            CASE WHEN NOT was_assessed THEN NULL WHEN appetite < 0.10 AND NOT investor THEN 'R1' WHEN appetite < 0.45 THEN 'R2'
                 WHEN appetite < 0.78 THEN 'R3' WHEN appetite < 0.94 THEN 'R4' ELSE 'R5' END AS risk_level,
            CASE WHEN was_assessed THEN ({
        world.today_sql
    } - least(assessed_days, account_days)::INTEGER)::DATE END AS risk_assessed_on,
            is_payroll, CASE WHEN is_payroll THEN {
        d.choose(
            [("5", 0.2), ("10", 0.3), ("15", 0.25), ("25", 0.12), (f"1 + {d.below(28, 'payday any')}", 0.13)], "payday"
        )
    } END::TINYINT AS payday,
            exp(8.85 + 0.38 * {d.normal("salary")} + 0.10 * (log_aum - 9)) AS salary,
            has_mobile_bank,
            {d.u("wecom")} < CASE WHEN managed THEN 0.58 WHEN years < 65 THEN 0.16 ELSE 0.05 END AS wecom_bound,
            has_credit_card, CASE WHEN has_credit_card THEN {d.u("card activated")} < 0.78 END AS card_activated,
            {
        d.u("third party")
    } < CASE WHEN has_mobile_bank AND years < 55 THEN 0.66 WHEN years < 70 THEN 0.3 ELSE 0.1 END
                AS third_party_pay_bound,
            CASE WHEN {d.u("spends")} < 0.15 THEN 0 ELSE
                round(exp(6.1 + 0.16 * log_aum + 0.7 * {d.normal("spend")}), 2) END AS monthly_spend,
            CASE WHEN years BETWEEN 24 AND 62 AND {d.u("loan")} < 0.13 THEN round(exp(11 + 0.8 * {
        d.normal("loan size")
    }), 0)
                 ELSE 0 END AS loan_balance,
            -- a login today lies between midnight and the data cut-off
            CASE WHEN login_days IS NULL THEN NULL
                 WHEN least(login_days, account_days - 1) <= 0
                 THEN {world.today_sql}::TIMESTAMP + to_seconds(floor({d.u("login today")} * {
        world.now.hour * 3600 + world.now.minute * 60
    })::BIGINT)
                 ELSE ({world.today_sql} - least(login_days, account_days - 1)::INTEGER)::TIMESTAMP
                      + to_seconds({d.seconds("login time")}) END AS last_login,
            least(login_days, account_days - 1) AS login_days,
            -- about half of what looks like older customers' logins is their manager at work
            years >= 60 AND has_mobile_bank AND {
        d.u("operated")
    } < CASE WHEN managed THEN 0.75 ELSE 0.4 END AS operated,
            has_mobile_bank AND login_days < 10 AND {d.u("hot")} < 0.09 AS hot
        FROM outlets ORDER BY customer_id
    """)


def customers(world: World) -> None:
    """Fill `customers` from traits and holdings; every balance is the sum of what is held."""
    d = world.dice
    world.run('ALTER TABLE customers ADD COLUMN IF NOT EXISTS "outlet_id" INTEGER')
    world.run(f"""
        CREATE TEMP TABLE balance AS
        WITH held AS (
            SELECT customer_id, sum(amount) FILTER (kind = 'deposit') AS term_deposit, sum(amount) FILTER (kind = 'wealth') AS wealth,
                sum(amount) FILTER (kind IN ('fund', 'insurance', 'gold')) AS fund
            FROM position GROUP BY customer_id
        ), parts AS (
            SELECT t.customer_id, coalesce(wealth, 0)::DECIMAL(18, 2) AS wealth, coalesce(fund, 0)::DECIMAL(18, 2) AS fund,
                (coalesce(term_deposit, 0) + round(greatest(wealth_aim * 0.02, wealth_aim - coalesce(wealth, 0)::DOUBLE
                    - coalesce(fund, 0)::DOUBLE - coalesce(term_deposit, 0)::DOUBLE), 2)::DECIMAL(18, 2))::DECIMAL(18, 2) AS deposit,
                CASE WHEN account_days < 30 THEN 0
                     WHEN {d.u("fell")} < 0.05 THEN 1 / (0.20 + 0.49 * {d.u("change")})
                     WHEN {d.u("fell")} < 0.09 THEN 1 / (1.3 + 0.7 * {d.u("change")})
                     ELSE 1 / (0.93 + 0.16 * {d.u("change")}) END AS back_30d,
                opened_on
            FROM trait t LEFT JOIN held h USING (customer_id)
        )
        SELECT customer_id, wealth, fund, deposit, (wealth + fund + deposit)::DECIMAL(18, 2) AS aum, opened_on,
            round((wealth + fund + deposit)::DOUBLE * back_30d, 2)::DECIMAL(18, 2) AS aum_30d_ago
        FROM parts ORDER BY customer_id
    """)
    last = world.months[-1]
    world.run(f"""
        INSERT INTO customers BY NAME
        SELECT customer_id, gender, birth_date, city, branch_id, manager_id, t.opened_on, outlet_id,
            {tier("CASE WHEN t.opened_on <= DATE '" + str(last) + "' THEN " + last_average(world) + " ELSE b.aum END")} AS tier,
            risk_level, risk_assessed_on, is_staff, is_payroll, payday, has_mobile_bank, wecom_bound, has_credit_card, card_activated,
            third_party_pay_bound, b.deposit AS deposit_balance, b.wealth AS wealth_balance, b.fund AS fund_balance, loan_balance,
            b.aum, b.aum_30d_ago, monthly_spend, {world.utc("last_login")} AS last_login_at
        FROM trait t JOIN balance b USING (customer_id) ORDER BY customer_id
    """)


def last_average(world: World) -> str:
    """SQL for the daily average AUM of the last complete month, over `balance`, to the cent."""
    return (
        f"round(CASE WHEN aum_30d_ago = 0 THEN 0.5 * aum::DOUBLE ELSE aum_30d_ago::DOUBLE END"
        f" * (0.98 + 0.04 * {world.dice.u('average')}), 2)::DECIMAL(18, 2)"
    )


def tier(amount: str) -> str:
    """SQL for the tier of a daily average AUM."""
    return (
        f"CASE WHEN ({amount}) >= {cast.PRIVATE} THEN 'private' WHEN ({amount}) >= {cast.WEALTH} THEN 'wealth' "
        f"WHEN ({amount}) >= {cast.AFFLUENT} THEN 'affluent' ELSE 'mass' END"
    )
