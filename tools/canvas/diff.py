"""The difference between two versions of a canvas: structured, in words of both languages."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.canvas.schema import (
    Arm,
    AudienceSplit,
    Canvas,
    Condition,
    Delay,
    Entry,
    HoldOut,
    Node,
    Override,
    Split,
    Tag,
    TimeSplit,
    Touch,
    Wait,
)
from tools.canvas.words import (
    channel_name,
    delay_words,
    edge_words,
    event_words,
    hours_words,
    node_words,
    span_words,
    trigger_words,
)
from warehouse.catalog import Language

Kind = Literal["added", "removed", "changed"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")


class Change(BaseModel):
    """One thing that differs, and where: a node's id, or a field of the canvas."""

    model_config = ConfigDict(frozen=True)

    place: str
    zh: str
    en: str
    kind: Kind = "changed"

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


_FIELDS: dict[str, tuple[str, str]] = {
    "name": ("名称", "name"),
    "purpose": ("目的", "purpose"),
    "category": ("触达类别", "category"),
    "priority": ("优先级", "priority"),
    "max_touches": ("触达上限", "maximum of touches"),
    "budget": ("预算", "budget"),
    "signature": ("落款", "signature"),
    "start": ("开始时间", "start"),
    "end": ("结束时间", "end"),
    "playbook": ("依据的剧本", "playbook"),
}


def difference(old: Canvas, new: Canvas) -> list[Change]:
    """What changed from `old` to `new`: the canvas's own fields first, then nodes in the order of the new graph."""
    changes = [
        _changed(name, zh, en, getattr(old, name), getattr(new, name))
        for name, (zh, en) in _FIELDS.items()
        if getattr(old, name) != getattr(new, name)
    ]
    changes += _settings(old, new)
    before_nodes = {node.id: node for node in old.nodes}
    after_nodes = {node.id: node for node in new.nodes}
    for node in new.nodes:
        if node.id not in before_nodes:
            changes.append(_node_change(node, "added", "新增", "added"))
        else:
            changes += _node_changes(before_nodes[node.id], node)
    changes += [_node_change(n, "removed", "删除", "removed") for n in old.nodes if n.id not in after_nodes]
    return changes


def _settings(old: Canvas, new: Canvas) -> list[Change]:
    """The fields of a canvas that are more than one value."""
    found: list[Change] = []
    if (old.goal.event, old.goal.where) != (new.goal.event, new.goal.where):
        before, after = (f"{g.event} {g.where}".strip() for g in (old.goal, new.goal))
        found.append(_changed("goal", "目标", "goal", before, after))
    if old.goal.window_days != new.goal.window_days:
        found.append(
            _changed("goal", "目标窗口（天）", "goal window (days)", old.goal.window_days, new.goal.window_days)
        )
    if old.stop_line != new.stop_line:
        before, after = (f"{s.complaint_rate:.2%} / {s.failure_rate:.0%}" for s in (old.stop_line, new.stop_line))
        found.append(
            _changed("stop_line", "停止线（投诉率/失败率）", "stop line (complaints / failures)", before, after)
        )
    if old.sending_windows != new.sending_windows:
        before_hours, after_hours = (
            [[hours_words(w.start, w.end, w.days, language) for w in c.sending_windows] for language in LANGUAGES]
            for c in (old, new)
        )
        found.append(_both("sending_windows", "发送时段", "sending windows", before_hours, after_hours))
    if old.reentry != new.reentry:
        found.append(_both("reentry", "再次进入", "re-entry", _reentry(old), _reentry(new)))
    if old.leave_when != new.leave_when:
        found.append(
            _changed("leave_when", "提前离开条件", "reasons to leave", *map(_list, (old.leave_when, new.leave_when)))
        )
    if old.template != new.template:
        found.append(_changed("template", "模板", "template", *map(_template, (old, new))))
    if old.locked != new.locked:
        found.append(_changed("locked", "总行锁定", "locked parts", *map(_list, (old.locked, new.locked))))
    return found + _overrides(old.overrides, new.overrides)


def _reentry(canvas: Canvas) -> list[list[str]]:
    rule = canvas.reentry
    if not rule.allowed:
        return [["不允许"], ["not allowed"]]
    most = rule.at_most
    return [
        [f"离开 {rule.after_days} 天后可再次进入" + (f"，最多 {most} 次" if most else "")],
        [f"{rule.after_days} days after leaving" + (f", at most {most} times" if most else "")],
    ]


def _template(canvas: Canvas) -> str:
    use = canvas.template
    if use is None:
        return ""
    given = ", ".join(f"{name}={value}" for name, value in use.parameters.items())
    return f"{use.id}@{use.version}" + (f" ({given})" if given else "")


def _overrides(old: Sequence[Override], new: Sequence[Override]) -> list[Change]:
    before, after = ({(o.branch_id, o.node): o for o in side} for side in (old, new))
    found: list[Change] = []
    for key in {**before, **after}:
        branch, node = key
        place = f"overrides.{branch}.{node}"
        zh, en = f"分行 {branch} 的 {node} 文案", f"branch {branch}'s wording of {node}"
        if key not in before:
            found.append(Change(place=place, zh=f"新增{zh}", en=f"added {en}", kind="added"))
        elif key not in after:
            found.append(Change(place=place, zh=f"删除{zh}", en=f"removed {en}", kind="removed"))
        else:
            found += _arms(place, f"{zh} ", f"{en}, ", before[key].arms, after[key].arms)
    return found


def _node_changes(old: Node, new: Node) -> list[Change]:
    if old.kind != new.kind:
        return [
            Change(
                place=new.id,
                zh=f"{_node(old, 'zh')}改为{_node(new, 'zh')}",
                en=f"{_node(old, 'en')} became {_node(new, 'en')}",
            )
        ]
    found = (
        [_changed(new.id, f"{new.id} 名称", f"{new.id} label", old.label, new.label)] if old.label != new.label else []
    )
    return found + _inner(old, new) + _ways(old, new)


def _inner(old: Node, new: Node) -> list[Change]:
    """What differs inside two nodes of one kind; where they lead is told apart."""
    found: list[Change] = []
    match old, new:
        case Entry(), Entry():
            if old.segment != new.segment:
                found.append(_changed(new.id, "客群", "audience", old.segment, new.segment))
            if old.trigger != new.trigger:
                said = [[[trigger_words(n.trigger, None, language)] for language in LANGUAGES] for n in (old, new)]
                found.append(_both(new.id, "进入时机", "trigger", *said))
        case HoldOut(), HoldOut():
            if old.percent != new.percent:
                found.append(_changed(new.id, "留出比例", "hold-out", f"{old.percent:g}%", f"{new.percent:g}%"))
            if old.key != new.key:
                found.append(_changed(new.id, "留出分组键", "hold-out key", old.key, new.key))
        case Delay(), Delay():
            said = [[[delay_words(n, language)] for language in LANGUAGES] for n in (old, new)]
            if said[0] != said[1]:
                found.append(_both(new.id, f"{new.id} 等待时间", f"{new.id} wait", *said))
        case Wait(), Wait():
            if (old.event, old.where) != (new.event, new.where):
                before, after = (event_words(n.event, n.where, None, "en") for n in (old, new))
                found.append(_changed(new.id, f"{new.id} 等待的事件", f"{new.id} event waited for", before, after))
            said = [[[span_words(n.days, n.hours, language)] for language in LANGUAGES] for n in (old, new)]
            if said[0] != said[1]:
                found.append(_both(new.id, f"{new.id} 最长等待", f"{new.id} longest wait", *said))
        case Condition(), Condition() if old.expression != new.expression:
            found.append(_changed(new.id, f"{new.id} 条件", f"{new.id} condition", old.expression, new.expression))
        case Tag(), Tag():
            tags = [_tag(old), _tag(new)]
            if tags[0] != tags[1]:
                found.append(_both(new.id, f"{new.id} 标签", f"{new.id} tag", *tags))
        case Split(), Split() if old.key != new.key:
            found.append(_changed(new.id, f"{new.id} 分组键", f"{new.id} key", old.key, new.key))
        case Touch(), Touch():
            found += _touch(old, new)
    return found


def _tag(node: Tag) -> list[list[str]]:
    return [["，".join(node_words(node, "zh"))], [", ".join(node_words(node, "en"))]]


def _touch(old: Touch, new: Touch) -> list[Change]:
    found: list[Change] = []
    if old.channel != new.channel:
        said = [[[channel_name(n.channel, language)] for language in LANGUAGES] for n in (old, new)]
        found.append(_both(new.id, f"{new.id} 渠道", f"{new.id} channel", *said))
    if old.product_id != new.product_id:
        found.append(_changed(new.id, f"{new.id} 产品", f"{new.id} product", old.product_id, new.product_id))
    if old.benefit_id != new.benefit_id:
        found.append(_changed(new.id, f"{new.id} 权益", f"{new.id} benefit", old.benefit_id, new.benefit_id))
    return found + _arms(new.id, f"{new.id} ", f"{new.id} ", old.arms, new.arms)


def _arms(place: str, zh: str, en: str, old: Sequence[Arm], new: Sequence[Arm]) -> list[Change]:
    found: list[Change] = []
    before, after = ({arm.name: arm for arm in arms} for arms in (old, new))
    shares = [", ".join(f"{a.name} {a.share:g}%" for a in arms.values()) for arms in (before, after)]
    if shares[0] != shares[1]:
        found.append(_changed(place, f"{zh}文案分组", f"{en}arms", shares[0], shares[1]))
    for name in after:
        if name in before and before[name].text != after[name].text:
            found.append(_changed(place, f"{zh}文案 {name}", f"{en}text {name}", before[name].text, after[name].text))
    return found


def _ways(old: Node, new: Node) -> list[Change]:
    """Where the named ways of a fork lead and when they are taken. A plain `next` follows from nodes added and removed."""
    if not isinstance(new, Condition | Wait | Split | AudienceSplit | TimeSplit | Touch):
        return []
    said = [
        [[f"{label} → {target}" for label, target in edge_words(node, language) if label] for language in LANGUAGES]
        for node in (old, new)
    ]
    if said[0] == said[1] or (isinstance(new, Condition) and _renamed(old, new)):
        return []
    return [_both(new.id, f"{new.id} 去向", f"{new.id} ways", *said)]


def _renamed(old: Node, new: Condition) -> bool:
    """A condition of a wave leads to the next wave: where only that moved on, the wave says so already."""
    return isinstance(old, Condition) and (old.yes == new.yes or old.no == new.no)


def _node_change(node: Node, kind: Kind, zh: str, en: str) -> Change:
    return Change(place=node.id, zh=f"{zh}{_node(node, 'zh')}", en=f"{en} {_node(node, 'en')}", kind=kind)


_KINDS: dict[str, tuple[str, str]] = {
    "entry": ("入口", "entry"),
    "hold_out": ("对照", "hold-out"),
    "touch": ("触达", "touch"),
    "tag": ("打标", "tag"),
    "delay": ("等待", "wait"),
    "wait": ("等待事件", "wait for an event"),
    "condition": ("条件", "condition"),
    "split": ("比例分流", "split by share"),
    "audience_split": ("客群分流", "split by audience"),
    "time_split": ("时段分流", "split by time"),
    "exit": ("出口", "exit"),
}


def _node(node: Node, language: Language) -> str:
    kind = _KINDS[node.kind][0 if language == "zh" else 1]
    match node:
        case HoldOut():
            return f"留出 {node.percent:g}% 对照" if language == "zh" else f"hold-out of {node.percent:g} %"
        case Touch():
            detail = channel_name(node.channel, language)
        case Delay():
            detail = delay_words(node, language)
        case Condition():
            detail = node.expression
        case Tag():
            detail = node.name
        case Wait():
            detail = node.event
        case _:
            detail = ""
    if not detail:
        return f"{kind} {node.id}"
    return f"{kind} {node.id}（{detail}）" if language == "zh" else f"{kind} {node.id} ({detail})"


def _both(place: str, zh: str, en: str, old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> Change:
    """A change whose values have words of their own in each language: ([Chinese …], [English …])."""
    return Change(
        place=place,
        zh=f"{zh}：{'、'.join(old[0]) or '（无）'} → {'、'.join(new[0]) or '（无）'}",
        en=f"{en}: {', '.join(old[1]) or '(none)'} → {', '.join(new[1]) or '(none)'}",
    )


def _changed(place: str, zh: str, en: str, old: object, new: object) -> Change:
    none_zh, none_en = ("（无）", "(none)")
    return Change(
        place=place,
        zh=f"{zh}：{_shown(old) or none_zh} → {_shown(new) or none_zh}",
        en=f"{en}: {_shown(old) or none_en} → {_shown(new) or none_en}",
    )


def _list(values: Sequence[Any]) -> str:
    return "; ".join(map(str, values))


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int | float) else str(value)
