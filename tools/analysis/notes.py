"""What must be told with a read-out, in the reader's language: caveats, reasons, limits. No causal word without cause."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tools.analysis.campaigns import Design
from tools.analysis.outcomes import Outcome
from tools.analysis.schema import Economics, Effect, GroupResult
from tools.analysis.statistics import SRM_ALARM
from warehouse.catalog import Attribute, Language

_REASONS = {
    "no_control": ("没有对照组，无法比较。", "There is no control arm, so there is nothing to compare with."),
    "no_treatment": ("没有被触达的组，无法比较。", "There is no treated arm, so there is nothing to compare."),
    "too_few_customers": ("某组客户不足 30 人，数据太少，不下结论。", "An arm has fewer than 30 customers: too little data to say."),
    "too_few_goals": ("达成（或未达成）目标的客户不足 5 人，数据太少，不下结论。", "Fewer than 5 customers did (or did not) reach it: too little data to say."),
    "no_variation": ("所有客户结果相同，无法推断差异。", "All customers have the same outcome, so no difference can be inferred."),
}  # fmt: skip


def notes(
    plan: Design,
    measured: Outcome,
    arms: list[str],
    control: str,
    sizes: dict[str, int],
    known: tuple[int, int],
    effect: Effect | None,
    reason: str,
    srm_p: float | None,
    naive: Effect | None,
    groups: list[GroupResult],
    grouped: Attribute | None,
    spent: Economics,
    as_of: datetime,
    scoped: bool,
    language: Language,
) -> list[str]:
    """The notes, the weightiest first."""
    zh = language == "zh"
    found: list[str] = []

    def add(chinese: str, english: str) -> None:
        found.append(chinese if zh else english)

    if not sizes:
        add(
            "没有找到这个活动的分组记录（或不在可见范围内）。",
            "No assignments of this campaign are on record (or none may be seen).",
        )
    if not plan.randomised:
        add(
            "分组不是随机的：两组客户本来就可能不同，差异只是关联，不能说明活动带来了变化。",
            "Assignment was not randomised: the arms may have differed to begin with. The difference is an association only.",
        )
    elif srm_p is not None and srm_p < SRM_ALARM:
        add(
            f"各组人数与设计比例不符（p = {srm_p:.1e}），随机分组或记录已被破坏，差异只能当作关联。",
            f"The arms' sizes do not fit the intended shares (p = {srm_p:.1e}): randomisation or its record is broken, "
            "so the difference is an association only.",
        )
    if reason and reason in _REASONS:
        add(*_REASONS[reason])
    if effect is not None and effect.ci[0] <= 0 <= effect.ci[1]:
        add(
            "95% 置信区间包含 0：数据不足以区分差异与偶然波动。",
            "The 95 % interval includes 0: the data cannot tell the difference from chance.",
        )
    if plan.randomised and control and len(arms) > 1 and srm_p is None:
        if scoped:
            add("只看部分机构时不做分组比例检验。", "The sample-ratio check is made for the whole bank only.")
        elif plan.ratio:
            add(
                "分组比例检验无法进行（组别不符或人数太少）。",
                "The sample-ratio check could not be made (other arms, or too few customers).",
            )
        else:
            add(
                "没有登记设计比例，未做分组比例检验。",
                "The intended shares are not on record, so the sample ratio was not checked.",
            )
    if plan.strata and naive is not None:
        names = ", ".join(plan.strata)
        add(
            f"在 {names} 各层内随机：效果按层的人数加权（事后分层）；不分层的差异为 {naive.diff:+.4g}。",
            f"Randomised within {names}: the effect is weighted by the strata's sizes (post-stratified); "
            f"without strata the difference is {naive.diff:+.4g}.",
        )
    if len(arms) > 2 and control:
        add(
            "总的差异是全部触达组合并后与对照组之差，各组分别列出；多组比较时偶然显著更常见。",
            "The overall difference compares all treated arms together with the control, beside each of them alone; with "
            "several comparisons chance findings are more common.",
        )
    assigned, with_outcome = known
    if with_outcome < assigned:
        add(
            f"{assigned - with_outcome:,} 名客户的该指标未知，未计入。",
            f"For {assigned - with_outcome:,} customers the outcome is unknown; they are left out.",
        )
    if not measured.event:
        add(
            "按数据日的现值计算，不是活动窗口内的变化。",
            "Measured as of the data cut-off, not as a change within the goal window.",
        )
    elif plan.window_days is not None and plan.started_at is not None:
        closes = plan.started_at.replace(tzinfo=UTC) + timedelta(days=plan.window_days)
        if closes > as_of:
            add(
                f"目标窗口（{plan.window_days} 天）尚未结束，结果还会变化。",
                f"The goal window ({plan.window_days} days) is still open; the result will change.",
            )
    if grouped is not None and (tested := sum(group.effect is not None for group in groups)):
        add(
            f"共比较了 {tested} 个分组：看得越多，偶然显著越多，分组结论应另行验证；每组每臂不足 100 人的不做推断。",
            f"{tested} groups were compared: the more one looks, the more chance findings; confirm a group in a new test. Groups with "
            "fewer than 100 customers per arm are shown without inference.",
        )
    if grouped is not None and groups:
        add("分组按客户在数据日的取值划分。", "Groups go by the customers' values at the data cut-off.")
    _economy(spent, add)
    return found


def _economy(spent: Economics, add: Callable[[str, str], None]) -> None:
    if spent.incremental_goals is not None and spent.incremental_goals <= 0 and spent.cost:
        add(
            "没有测到增量，无法给出单个增量客户的成本。",
            "No increment was measured, so there is no cost per incremental goal.",
        )
    if spent.complaint_effect is not None and spent.complaint_effect.ci[0] > 0:
        add(
            f"投诉更多：每百名客户多 {spent.complaint_effect.diff * 100:.2f} 人投诉。",
            f"More complaints: {spent.complaint_effect.diff * 100:.2f} more per hundred customers.",
        )
