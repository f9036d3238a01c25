"""Checks of what head office locks: locks that name nothing, wordings of branches over locked ones, departures from the
template."""

from collections.abc import Iterator

from control.records.locks import changed_parts, locks, parts
from tools.canvas.check_expressions import override_place
from tools.canvas.facts import Facts
from tools.canvas.findings import Finding, error, warning
from tools.canvas.schema import Canvas


def check_locks(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """Locks, overrides and template of a canvas."""
    document = canvas.model_dump(mode="json")
    for path in canvas.locked:
        if not parts(document, path):
            yield error(
                "locked_unknown",
                f"locked.{path}",
                (f"锁定的 {path} 不是画布的一部分。", f"{path} is locked, but the canvas has no such part."),
                ("写成 goal、flow 或 nodes.touch_1.arms。", "Write goal, flow or nodes.touch_1.arms."),
            )
    for override in canvas.overrides:
        path = f"nodes.{override.node}.arms"
        if locks(path, canvas.locked):
            yield error(
                "locked_override",
                override_place(override),
                (f"总行锁定了 {path}，分行不能改写。", f"Head office locks {path}: a branch may not reword it."),
                ("删掉这份分行文案，或请总行解锁。", "Remove this branch's wording, or ask head office to unlock it."),
            )
    if canvas.template is not None and facts.heads:
        yield from _departures(canvas, facts)


def _departures(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """Head office may depart from its own template; whoever approves should see it."""
    document = canvas.model_dump(mode="json")
    heads = [head.model_dump(mode="json") for head in facts.heads]
    fewest = min((changed_parts(head, document, head["locked"]) for head in heads), key=len)
    for place in fewest:
        yield warning(
            "locked_changed",
            place,
            (f"{place} 与模板不同，而模板锁定了它。", f"{place} differs from the template, which locks it."),
            (
                "改回模板的内容；总行可以保留改动。",
                "Put it back as the template has it; head office may keep the change.",
            ),
        )
