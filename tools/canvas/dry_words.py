"""A dry run in a few sentences of either language."""

from tools.canvas.dry_run import DryRun
from tools.canvas.graph import touches
from tools.canvas.schema import Canvas
from tools.throttle import rule_words
from warehouse.catalog import Language


def run_words(run: DryRun, canvas: Canvas, language: Language, zone_start: str) -> str:
    """The run in a few sentences."""
    index = {node.id: node for node in run.nodes}
    entered = run.nodes[0].entered if run.nodes else 0
    held = sum(node.held_out for node in run.nodes)
    lines = []
    for number, touch in enumerate(touches(canvas), start=1):
        node = index[touch.id]
        top = max(node.by_rule.items(), key=lambda item: (item[1], item[0]), default=None)
        if language == "zh":
            why = f"，最多的原因是{rule_words(top[0], 'zh')}（{top[1]:,}）" if top else ""
            lines.append(
                f"第 {number} 波到达 {node.entered:,} 人：发送 {node.sent:,}、超频 {node.capped:,}、延期 {node.deferred:,}、"
                f"放弃 {node.abandoned:,}{why}"
            )
        else:
            why = f", mostly because: {rule_words(top[0], 'en')} ({top[1]:,})" if top else ""
            lines.append(
                f"wave {number} was reached by {node.entered:,}: {node.sent:,} sent, {node.capped:,} capped, "
                f"{node.deferred:,} deferred, {node.abandoned:,} abandoned{why}"
            )
    goals = {a.arm: a for a in run.aftermath}
    if language == "zh":
        told = "；".join(
            f"{'对照' if arm == 'control' else '触达'}组 {a.customers:,} 人中 {a.reached_goal:,} 人达成目标"
            for arm, a in sorted(goals.items())
        )
        return (
            f"回放自 {zone_start}：{entered:,} 人进入，留出 {held:,} 人。{'；'.join(lines)}。"
            f"他们当时的实际行为：{told or '无'}。这是历史，只能说明关联，不是预测，也不是活动效果。"
        )
    told = "; ".join(
        f"{a.reached_goal:,} of {a.customers:,} in the {arm} arm reached the goal" for arm, a in sorted(goals.items())
    )
    return (
        f"Replayed from {zone_start}: {entered:,} entered, {held:,} held out. {'; '.join(lines)}. What they really did then: "
        f"{told or 'nothing'}. This is history and shows association only; it is neither a forecast nor an effect."
    )
