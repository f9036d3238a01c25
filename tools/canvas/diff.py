"""The difference between two versions of a canvas, in words of both languages."""

from pydantic import BaseModel, ConfigDict

from tools.canvas.schema import Canvas, Condition, Delay, Entry, Exit, HoldOut, Node, Touch
from tools.canvas.words import channel_name, delay_words


class Change(BaseModel):
    """One thing that differs, and where: a node's id, or a field of the canvas."""

    model_config = ConfigDict(frozen=True)

    place: str
    zh: str
    en: str


_FIELDS: dict[str, tuple[str, str]] = {
    "name": ("名称", "name"),
    "purpose": ("目的", "purpose"),
    "category": ("触达类别", "category"),
    "priority": ("优先级", "priority"),
    "max_touches": ("触达上限", "maximum of touches"),
    "signature": ("落款", "signature"),
    "start": ("开始时间", "start"),
    "playbook": ("依据的剧本", "playbook"),
}


def difference(old: Canvas, new: Canvas) -> list[Change]:
    """What changed from `old` to `new`: the canvas's own fields first, then nodes in the order of the new graph."""
    changes = [
        _changed(name, zh, en, getattr(old, name), getattr(new, name))
        for name, (zh, en) in _FIELDS.items()
        if getattr(old, name) != getattr(new, name)
    ]
    if (old.goal.event, old.goal.where) != (new.goal.event, new.goal.where):
        before, after = (f"{g.event} {g.where}".strip() for g in (old.goal, new.goal))
        changes.append(_changed("goal", "目标", "goal", before, after))
    if old.goal.window_days != new.goal.window_days:
        changes.append(
            _changed("goal", "目标窗口（天）", "goal window (days)", old.goal.window_days, new.goal.window_days)
        )
    if old.stop_line != new.stop_line:
        before, after = (f"{s.complaint_rate:.2%} / {s.failure_rate:.0%}" for s in (old.stop_line, new.stop_line))
        changes.append(
            _changed("stop_line", "停止线（投诉率/失败率）", "stop line (complaints / failures)", before, after)
        )
    before_nodes = {node.id: node for node in old.nodes}
    after_nodes = {node.id: node for node in new.nodes}
    for node in new.nodes:
        if node.id not in before_nodes:
            changes.append(Change(place=node.id, zh=f"新增{_node(node, 'zh')}", en=f"added {_node(node, 'en')}"))
        else:
            changes += _node_changes(before_nodes[node.id], node)
    changes += [
        Change(place=node.id, zh=f"删除{_node(node, 'zh')}", en=f"removed {_node(node, 'en')}")
        for node in old.nodes
        if node.id not in after_nodes
    ]
    return changes


def _node_changes(old: Node, new: Node) -> list[Change]:
    if old.kind != new.kind:
        return [
            Change(
                place=new.id,
                zh=f"{_node(old, 'zh')}改为{_node(new, 'zh')}",
                en=f"{_node(old, 'en')} became {_node(new, 'en')}",
            )
        ]
    found: list[Change] = []
    if isinstance(old, Entry) and isinstance(new, Entry) and old.segment != new.segment:
        found.append(_changed(new.id, "客群", "audience", old.segment, new.segment))
    elif isinstance(old, HoldOut) and isinstance(new, HoldOut):
        if old.percent != new.percent:
            found.append(_changed(new.id, "留出比例", "hold-out", f"{old.percent:g}%", f"{new.percent:g}%"))
        if old.key != new.key:
            found.append(_changed(new.id, "留出分组键", "hold-out key", old.key, new.key))
    elif isinstance(old, Delay) and isinstance(new, Delay):
        before, after = ((delay_words(node, "zh"), delay_words(node, "en")) for node in (old, new))
        if before != after:
            found.append(
                Change(
                    place=new.id,
                    zh=f"{new.id} 等待时间：{before[0]} → {after[0]}",
                    en=f"{new.id} wait: {before[1]} → {after[1]}",
                )
            )
    elif isinstance(old, Condition) and isinstance(new, Condition) and old.expression != new.expression:
        found.append(_changed(new.id, f"{new.id} 条件", f"{new.id} condition", old.expression, new.expression))
    elif isinstance(old, Touch) and isinstance(new, Touch):
        found += _touch_changes(old, new)
    return found


def _touch_changes(old: Touch, new: Touch) -> list[Change]:
    found: list[Change] = []
    if old.channel != new.channel:
        found.append(
            Change(
                place=new.id,
                zh=f"{new.id} 渠道：{channel_name(old.channel, 'zh')} → {channel_name(new.channel, 'zh')}",
                en=f"{new.id} channel: {channel_name(old.channel, 'en')} → {channel_name(new.channel, 'en')}",
            )
        )
    if old.product_id != new.product_id:
        found.append(_changed(new.id, f"{new.id} 产品", f"{new.id} product", old.product_id, new.product_id))
    if old.benefit_id != new.benefit_id:
        found.append(_changed(new.id, f"{new.id} 权益", f"{new.id} benefit", old.benefit_id, new.benefit_id))
    before, after = {arm.name: arm for arm in old.arms}, {arm.name: arm for arm in new.arms}
    shares = [", ".join(f"{a.name} {a.share:g}%" for a in arms.values()) for arms in (before, after)]
    if shares[0] != shares[1]:
        found.append(_changed(new.id, f"{new.id} 文案分组", f"{new.id} arms", shares[0], shares[1]))
    for name in after:
        if name in before and before[name].text != after[name].text:
            found.append(
                _changed(new.id, f"{new.id} 文案 {name}", f"{new.id} text {name}", before[name].text, after[name].text)
            )
    return found


def _node(node: Node, language: str) -> str:
    zh = language == "zh"
    if isinstance(node, Touch):
        return (
            f"触达 {node.id}（{channel_name(node.channel, 'zh')}）"
            if zh
            else (f"touch {node.id} ({channel_name(node.channel, 'en')})")
        )
    if isinstance(node, Delay):
        return f"等待 {node.id}（{delay_words(node, 'zh')}）" if zh else f"wait {node.id} ({delay_words(node, 'en')})"
    if isinstance(node, Condition):
        return f"条件 {node.id}（{node.expression}）" if zh else f"condition {node.id} ({node.expression})"
    if isinstance(node, HoldOut):
        return f"留出 {node.percent:g}% 对照" if zh else f"hold-out of {node.percent:g} %"
    if isinstance(node, Exit):
        return f"出口 {node.id}" if zh else f"exit {node.id}"
    return f"入口 {node.id}" if zh else f"entry {node.id}"


def _changed(place: str, zh: str, en: str, old: object, new: object) -> Change:
    none_zh, none_en = ("（无）", "(none)")
    return Change(
        place=place,
        zh=f"{zh}：{_shown(old) or none_zh} → {_shown(new) or none_zh}",
        en=f"{en}: {_shown(old) or none_en} → {_shown(new) or none_en}",
    )


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)
