"""Counts, breakdowns, and what the data can say."""

from agent.replies.words import bullets, listed, number, paragraphs, percent, pick, table
from tools.segment.tool import DataDescribed, SegmentFound
from warehouse.catalog import Language

ROWS_SHOWN = 20


def found(result: SegmentFound, language: Language) -> str:
    """How many, what was understood, and the groups."""
    share = percent(result.share)
    head = pick(
        language,
        f"共 **{number(result.count)}** 人，占可见客户 {number(result.total)} 人的 {share}。",
        f"**{number(result.count)}** customers, {share} of the {number(result.total)} you may see.",
    )
    understood = pick(language, f"理解为：{result.description}", f"Understood as: {result.description}")
    expression = f"`{result.expression}` · {result.id}"
    return paragraphs(head, f"{understood}  \n{expression}", _groups(result, language), _causes(result, language))


def _groups(result: SegmentFound, language: Language) -> str:
    if not result.breakdown:
        return ""
    shown = result.breakdown[:ROWS_SHOWN]
    header = [result.by_label, pick(language, "人数", "customers"), pick(language, "占比", "share")]
    text = table(header, ([row.label, number(row.count), percent(row.share)] for row in shown))
    rest = result.breakdown[ROWS_SHOWN:]
    if rest:
        people = number(sum(row.count for row in rest))
        text += "\n\n" + pick(
            language, f"其余 {len(rest)} 组共 {people} 人。", f"{len(rest)} more groups with {people} customers."
        )
    return text


def _causes(result: SegmentFound, language: Language) -> str:
    if not result.diagnosis:
        return ""
    title = pick(language, "逐个条件来看：", "Condition by condition:")
    header = [
        pick(language, "条件", "condition"),
        pick(language, "单独满足", "alone"),
        pick(language, "去掉它之后", "without it"),
    ]
    rows = ([f"`{c.condition}`", number(c.alone), number(c.without)] for c in result.diagnosis)
    return paragraphs(title, table(header, rows))


def described(result: DataDescribed, language: Language) -> str:
    """Catalog entries, what is missing, campaigns."""
    parts: list[str] = []
    for entry in result.entries:
        unit = f"（{entry.unit}）" if entry.unit and language == "zh" else f" ({entry.unit})" if entry.unit else ""
        line = f"**{entry.label}** `{entry.name}`{unit}: {entry.definition}"
        if entry.values:
            line += "  \n" + listed((value.label for value in entry.values[:20]), language)
        if entry.expression:
            line += f"  \n`{entry.expression}`"
        parts.append(line)
    for missing in result.missing:
        near = ", ".join(f"`{proxy}`" for proxy in missing.proxies)
        parts.append(
            pick(
                language,
                f"本行数据里没有**{missing.label}**" + (f"，相近的有 {near}。" if near else "。"),
                f"This bank's data has no **{missing.label}**" + (f"; nearest: {near}." if near else "."),
            )
        )
    if result.overview:
        parts += [f"**{group}**: {listed(names, language)}" for group, names in result.overview.items()]
    if result.campaigns:
        title = pick(language, "做过的活动：", "Past campaigns:")
        rows = (f"`{c.id}` {c.name}" for c in result.campaigns[:20])
        parts.append(title + "\n" + bullets(rows))
    parts.append(
        pick(
            language,
            f"可见客户 {number(result.customers)} 人，数据截止 {result.as_of:%Y-%m-%d %H:%M} UTC。",
            f"{number(result.customers)} customers visible; data cut-off {result.as_of:%Y-%m-%d %H:%M} UTC.",
        )
    )
    return paragraphs(*parts)
