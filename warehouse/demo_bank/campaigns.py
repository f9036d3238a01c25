"""Eight past campaigns with planted truths: who was assigned, what was sent, what followed."""

from dataclasses import dataclass
from datetime import date, datetime, time

from warehouse.demo_bank.world import World


@dataclass(frozen=True)
class Arm:
    """One arm: its share of the assigned, the waves it gets, and its true chance of the goal by segment of `lift_if`."""

    name: str
    share: float
    rate: float
    rate_where: float | None = None
    complaint_rate: float = 0.0005


@dataclass(frozen=True)
class Wave:
    day: int
    hour: float
    channel: str


@dataclass(frozen=True)
class Plan:
    """A campaign and its planted truth.

    `audience` is SQL over `trait`; `rate_where` of arms holds for customers who meet `lift_if` (SQL over `trait`),
    `segment` is the same in EQL; `early_share` is the share of the goals that fall into the first half of the window.
    """

    campaign_id: str
    name: str
    goal_event: str
    product_kind: str
    window_days: int
    start: date
    audience: str
    arms: tuple[Arm, ...]
    waves: tuple[Wave, ...]
    cost_per_touch: float
    hypothesis: str
    truth: str
    randomised: bool = True
    lift_if: str = "TRUE"
    segment: str = "everyone"
    category: str = "marketing"
    worth: float | None = None
    benefit_id: int | None = None
    drops_from_treatment: float = 0.0
    chosen_weight: str = ""
    fades: bool = False
    notes: str = ""


def plans(today: date) -> tuple[Plan, ...]:
    """The eight campaigns of the year before `today`; dates are relative, so ids carry the month they fell in."""
    naive = "NOT investor AND risk_level >= 'R2' AND years >= 18 AND account_days > 390"

    def day(month: int, number: int) -> date:
        """That day's latest occurrence at least three weeks before today (so that goal windows have ended)."""
        found = date(today.year, month, number)
        return found if (today - found).days >= 23 else date(today.year - 1, month, number)

    def named(start: date, key: str) -> str:
        return f"c{start:%Y_%m}_{key}"

    new_year, spring, june, july = day(2, 9), day(5, 11), day(6, 8), day(7, 6)
    august, september, october, daily = day(8, 10), day(9, 7), day(10, 26), day(10, 19)
    return (
        Plan(
            named(new_year, "new_year_deposit"), "2月开门红存款 / February New Year deposits", "purchase", "deposit", 14, new_year,
            "years >= 18 AND wealth_aim >= 3000 AND account_days > 390", (Arm("control", 0.3, 0.05), Arm("treatment", 0.7, 0.05)),
            (Wave(0, 10.0, "sms"),), 0.06,
            "短信提示存款到账可转定期，提高定期存款购买。/ A text message about term deposits raises deposit purchases.",
            "no_effect",
        ),
        Plan(
            named(spring, "win_back_calls"), "5月睡眠户电话唤醒 / May dormant win-back by phone", "login", "", 14, spring,
            "has_mobile_bank AND login_days < 150 AND account_days > 390", (Arm("control", 0.4, 0.12), Arm("treatment", 0.6, 0.16)),
            (Wave(0, 14.5, "call"),), 12.0,
            "外呼唤醒沉睡客户登录；一个被唤醒的客户一年约值 60 元。/ Phone calls bring dormant customers back to the app; "
            "a customer won back is worth about 60 CNY in a year.",
            "significant_but_loss_making", worth=60.0,
        ),
        Plan(
            named(june, "young_funds"), "6月基金定投计划 / June fund savings plan", "purchase", "fund", 21, june,
            "risk_level >= 'R3' AND years >= 18 AND account_days > 390", (Arm("control", 0.5, 0.04, 0.04), Arm("treatment", 0.5, 0.04, 0.11)),
            (Wave(0, 12.25, "push"), Wave(7, 12.25, "sms")), 0.08,
            "推送定投计划可提高基金购买。/ Messages about a savings plan raise fund purchases.",
            "only_a_segment", lift_if="birth_date > today - INTERVAL 35 YEAR", segment="age < 35",
        ),
        Plan(
            named(july, "wallet_binding"), "7月绑卡有礼 / July wallet binding reward", "bind_card", "", 14, july,
            "years >= 18 AND has_mobile_bank AND account_days > 390", (Arm("control", 0.5, 0.05), Arm("treatment", 0.5, 0.06)),
            (Wave(0, 12.0, "push"),), 0.02,
            "绑卡立减券可提高第三方支付绑卡。/ A coupon raises the linking of cards to wallets.",
            "broken_randomisation", benefit_id=4, drops_from_treatment=0.22,
            notes="Treated customers who could not be reached were taken out of the assignments; the control's were not.",
        ),
        Plan(
            named(august, "manager_invitations"), "8月客户经理邀约 / August manager invitations", "purchase", "wealth", 21, august,
            "manager_id IS NOT NULL AND risk_level >= 'R2' AND years >= 18 AND account_days > 390",
            (Arm("control", 0.5, 0.05, 0.16), Arm("treatment", 0.5, 0.05, 0.16)),
            (Wave(0, 10.0, "task"),), 4.0,
            "客户经理挑选客户一对一邀约，提高理财购买。/ Managers pick customers and invite them in person.",
            "not_randomised", randomised=False, lift_if="log_aum > 11.6", segment="aum > 109000",
            chosen_weight="CASE WHEN log_aum > 11.6 THEN 0.75 ELSE 0.2 END",
            notes="Managers chose customers with higher balances, who buy more anyway; the true effect is zero.",
        ),
        Plan(
            named(september, "payday"), "9月发薪日加薪宝 / September payday boost", "purchase", "wealth", 14, september,
            f"is_payroll AND {naive} AND pool < 0.9", (Arm("control", 0.3, 0.05), Arm("treatment", 0.7, 0.11)),
            (Wave(0, 12.25, "sms"), Wave(3, 12.25, "push")), 0.07,
            "发薪后提示加薪宝，提高代发客户理财首购。/ A message after payday raises payroll customers' first wealth purchases.",
            "true_lift", benefit_id=2, worth=90.0,
        ),
        Plan(
            named(daily, "daily_push"), "10月每日推送 / October daily push", "login", "", 14, daily,
            "has_mobile_bank AND years >= 18 AND account_days > 390 AND login_days < 14",
            (Arm("control", 0.4, 0.04, None, 0.001), Arm("treatment", 0.6, 0.16, None, 0.02)),
            tuple(Wave(n, 12.0, "push") for n in range(8)), 0.01,
            "每天推送一条，提高登录。/ One push every day raises logins.",
            "fades_and_harms", fades=True,
            notes="More logins in the first week only, and many more complaints.",
        ),
        Plan(
            named(october, "first_purchase"), "10月理财首购礼 / October first purchase gift", "purchase", "wealth", 21, october,
            f"{naive} AND (NOT is_payroll OR pool >= 0.9)",
            (Arm("control", 0.3, 0.04), Arm("sms", 0.35, 0.065), Arm("sms_wecom", 0.35, 0.09)),
            (Wave(0, 12.25, "sms"), Wave(10, 12.5, "sms"), Wave(17, 10.0, "wecom")), 0.08,
            "首购立减券提高理财首购，短信加企微优于只发短信。/ A first-purchase coupon raises first wealth purchases; "
            "text plus WeCom beats text alone.",
            "true_lift_two_arms", benefit_id=1, worth=90.0,
        ),
    )  # fmt: skip


def run_campaigns(world: World) -> list[Plan]:
    """Fill campaigns (with their designed shares and goal in `meta`), assignments and touches; leave the goals reached in TEMP table `goal` and complaints caused in
    `caused_complaint` (bank times), for holdings and behaviour to turn into events.
    """
    world.run("CREATE TEMP TABLE goal (n INTEGER, customer_id BIGINT, event VARCHAR, kind VARCHAR, occurred TIMESTAMP)")
    world.run("CREATE TEMP TABLE caused_complaint (n INTEGER, customer_id BIGINT, occurred TIMESTAMP)")
    world.run("CREATE TEMP TABLE touched AS FROM touches LIMIT 0")
    chosen = [plan for plan in plans(world.today) if plan.start < world.today]
    for n, plan in enumerate(sorted(chosen, key=lambda p: p.campaign_id)):
        _one(world, n, plan)
    world.run("INSERT INTO touches FROM touched ORDER BY decided_at, touch_id")
    return chosen


def _one(world: World, n: int, plan: Plan) -> None:
    d = world.dice
    stream = plan.campaign_id
    assigned = datetime.combine(plan.start, time(9, 30))
    ended = f"{world.utc(f'TIMESTAMP {assigned.isoformat(sep=chr(32))!r}')}"
    world.run(
        f"INSERT INTO campaigns SELECT ?, ?, ?, ?, ?, ?, ?, {ended}, {ended} + to_days(?), ?",
        [plan.campaign_id, plan.name, plan.category, plan.goal_event, plan.window_days, plan.randomised, plan.hypothesis,
         plan.window_days, plan.cost_per_touch],
    )  # fmt: skip
    if plan.randomised:
        ratio = ",".join(f"{arm.name}:{arm.share:g}" for arm in plan.arms)
        world.insert("meta", [(f"campaign:{plan.campaign_id}:ratio", ratio)])
    if plan.product_kind:
        world.insert("meta", [(f"campaign:{plan.campaign_id}:goal_where", f"kind = '{plan.product_kind}'")])
    shares = [(f"'{arm.name}'", arm.share) for arm in plan.arms]
    arm = d.choose(shares, f"{stream}/arm")
    if plan.chosen_weight:
        arm = f"CASE WHEN {d.u(f'{stream}/arm')} < {plan.chosen_weight} THEN 'treatment' ELSE 'control' END"
    rates = " ".join(
        f"WHEN '{a.name}' THEN CASE WHEN {plan.lift_if} THEN {a.rate if a.rate_where is None else a.rate_where} ELSE {a.rate} END"
        for a in plan.arms
    ).replace("today", world.today_sql)
    complaints = " ".join(f"WHEN '{a.name}' THEN {a.complaint_rate}" for a in plan.arms)
    half = plan.window_days // 2
    early = f"1 + {d.below(half - 1, f'{stream}/day')}"
    whole = f"1 + floor(pow({d.u(f'{stream}/day')}, 1.5) * {plan.window_days - 2})::BIGINT"
    # Where an effect fades, what comes on top of the control's rate comes early.
    base = plan.arms[0].rate
    when = f"CASE WHEN chance > {base} AND hit >= {base} THEN {early} ELSE {whole} END" if plan.fades else whole
    start = f"TIMESTAMP '{assigned:%Y-%m-%d %H:%M:%S}'"
    # A login that a campaign brings must not be later than the customer's last one.
    window_ended = (world.today - plan.start).days - plan.window_days
    last_login = f"login_days < {window_ended}" if plan.goal_event == "login" else "TRUE"
    world.run(f"""
        CREATE OR REPLACE TEMP TABLE assigned AS
        WITH drawn AS (
            SELECT *, {d.u("pool")} AS pool FROM trait
        ), arms AS (
            SELECT *, {arm} AS arm FROM drawn WHERE ({plan.audience}) AND {last_login}
        ), odds AS (
            SELECT *, CASE arm {rates} END AS chance, {d.u(f"{stream}/goal")} AS hit FROM arms
            WHERE arm = 'control' OR {d.u(f"{stream}/dropped")} >= {plan.drops_from_treatment}
        )
        SELECT customer_id, arm, hit < chance AS reached,
            date_trunc('day', {start}) + to_days(({when})::INTEGER) + to_seconds({d.seconds(f"{stream}/time")}) AS occurred,
            CASE WHEN {d.u(f"{stream}/complains")} < CASE arm {complaints} END
                 THEN date_trunc('day', {start}) + to_days(({d.below(max(2, plan.window_days - 4), f"{stream}/complaint day")} + 1)::INTEGER)
                      + to_seconds({d.seconds(f"{stream}/complaint time")}) END AS complained
        FROM odds ORDER BY customer_id
    """)
    world.run(
        f"INSERT INTO assignments SELECT ?, customer_id, arm, {world.utc(start)} FROM assigned ORDER BY customer_id",
        [plan.campaign_id],
    )
    world.run(
        f"INSERT INTO goal SELECT {n}, customer_id, ?, ?, occurred FROM assigned WHERE reached AND occurred <= {world.now_sql}",
        [plan.goal_event, plan.product_kind],
    )
    world.run(
        f"INSERT INTO caused_complaint SELECT {n}, customer_id, complained FROM assigned WHERE complained <= {world.now_sql}"
    )
    for number, wave in enumerate(plan.waves, 1):
        _touch(world, plan, number, wave)


def _touch(world: World, plan: Plan, number: int, wave: Wave) -> None:
    """One wave's touches: sent or failed for the treated, capped for a few, one held-out record for each control."""
    d = world.dice
    stream = f"{plan.campaign_id}/wave {number}"
    at = datetime.combine(plan.start, time(0)).replace(hour=int(wave.hour), minute=int(wave.hour % 1 * 60))
    opened = {"sms": 0.0, "push": 0.18, "inapp": 0.5, "wecom": 0.42, "email": 0.2, "call": 0.45, "task": 0.7}[
        wave.channel
    ]
    clicked = {"sms": 0.035, "push": 0.07, "inapp": 0.12, "wecom": 0.13, "email": 0.05, "call": 0.0, "task": 0.0}[
        wave.channel
    ]
    only = "arm <> 'sms'" if wave.channel == "wecom" and any(a.name == "sms" for a in plan.arms) else "TRUE"
    held = "TRUE" if number == 1 else "arm <> 'control'"
    decided = f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}' + to_days({wave.day})"
    world.run(
        f"""
        INSERT INTO touched
        WITH outcome AS (
            SELECT customer_id, arm, {world.utc(decided)} AS decided_at,
                CASE WHEN arm = 'control' THEN 'held_out' WHEN {d.u(f"{stream}/capped")} < 0.02 THEN 'capped'
                     WHEN {d.u(f"{stream}/failed")} < 0.03 THEN 'failed' ELSE 'sent' END AS status,
                1 + {d.below(900, f"{stream}/queue")} AS queue, {d.u(f"{stream}/open")} AS o, {d.u(f"{stream}/click")} AS k,
                60 + {d.below(28800, f"{stream}/open after")} AS lag
            FROM assigned WHERE {only} AND {held} AND NOT coalesce(reached AND occurred <= {decided}, FALSE)
        )
        SELECT ? || ':' || customer_id || ':{number}', ?, customer_id, 'wave_{number}', arm, {number}, ?, ?, status,
            CASE status WHEN 'held_out' THEN 'hold_out' WHEN 'capped' THEN 'cap_global_week' ELSE 'allowed' END, decided_at,
            CASE WHEN status IN ('sent', 'failed') THEN decided_at + to_seconds(queue) END,
            CASE WHEN status = 'sent' THEN decided_at + to_seconds(queue + 3) END,
            CASE WHEN status = 'sent' AND o < {opened} THEN decided_at + to_seconds(queue + lag) END,
            CASE WHEN status = 'sent' AND (o < {opened} OR {opened} = 0) AND k < {clicked} / {opened or 1.0}
                 THEN decided_at + to_seconds(queue + lag + 20) END
        FROM outcome WHERE decided_at + INTERVAL 9 HOUR <= {world.utc(world.now_sql)}
        """,
        [plan.campaign_id, plan.campaign_id, wave.channel, plan.category],
    )


def truth(plan: Plan) -> dict[str, object]:
    """A campaign's entry of `truths.json`."""
    return {
        "campaign_id": plan.campaign_id,
        "truth": plan.truth,
        "randomised": plan.randomised,
        "goal_event": plan.goal_event,
        "product_kind": plan.product_kind or None,
        "window_days": plan.window_days,
        "segment": plan.segment,
        "arms": [
            {"arm": a.name, "designed_share": None if plan.chosen_weight else a.share, "rate": a.rate,
             "rate_in_segment": a.rate if a.rate_where is None else a.rate_where, "complaint_rate": a.complaint_rate}
            for a in plan.arms
        ],
        "sample_ratio_broken": plan.drops_from_treatment > 0,
        "cost_per_touch": plan.cost_per_touch,
        "worth_per_conversion": plan.worth,
        "fades_after_days": plan.window_days // 2 if plan.fades else None,
        "notes": plan.notes,
    }  # fmt: skip
