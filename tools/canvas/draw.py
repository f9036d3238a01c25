"""A canvas as a Graphviz picture (DOT): one colour per kind of node, words instead of codes, counts where they are known."""

from collections.abc import Mapping
from html import escape as _escape

from tools.canvas.graph import following
from tools.canvas.schema import Canvas, Condition, Delay, Entry, HoldOut, Node, Touch
from tools.canvas.words import channel_name, delay_words, goal_words, in_words
from warehouse.catalog import Catalog, Language

FONT = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, Helvetica, Arial, sans-serif"
COLOURS: dict[str, tuple[str, str]] = {
    "entry": ("#E8F1FE", "#2F6FDE"),
    "hold_out": ("#F1F3F5", "#868E96"),
    "delay": ("#FFF8E6", "#E0A100"),
    "condition": ("#F5EFFE", "#7C4DDB"),
    "touch": ("#E6F7EE", "#1E9E63"),
    "exit": ("#F8F9FA", "#ADB5BD"),
}
"""Kind of node → fill, border."""
_SHAPES = {"condition": "hexagon", "exit": "box", "entry": "box", "delay": "box", "touch": "box", "hold_out": "box"}
_COUNTS: dict[str, tuple[str, str]] = {
    "entered": ("进入", "entered"),
    "held_out": ("留出", "held out"),
    "sent": ("发送", "sent"),
    "capped": ("超频", "capped"),
    "deferred": ("延期", "deferred"),
    "abandoned": ("放弃", "abandoned"),
}
_EXCERPT = 28


def draw(
    canvas: Canvas,
    language: Language,
    counts: Mapping[str, Mapping[str, int]] | None = None,
    catalog: Catalog | None = None,
) -> str:
    """The DOT text. It holds no pictograms: not every machine has a font for them.

    Args:
        catalog: puts audience, conditions and goal in words; without it they stand as EQL.
        counts: node id → numbers to be shown on it (`entered`, `held_out`, `sent`, `capped`, `deferred`, `abandoned`),
            as a dry run gives them; zeros other than `entered` are left out.
    """
    lines = [
        "digraph canvas {",
        f'  graph [rankdir=TB, bgcolor="transparent", nodesep=0.45, ranksep=0.4, fontname="{FONT}", '
        f'labelloc=t, fontsize=16, fontcolor="#212529", label={_quoted(canvas.name)}];',
        f'  node [fontname="{FONT}", fontsize=12, style="filled,rounded", penwidth=1.4, fontcolor="#212529", '
        # Graphviz in a browser does not know the fonts and takes Chinese text for narrower than it is.
        'margin="0.42,0.12"];',
        f'  edge [fontname="{FONT}", fontsize=11, color="#868E96", fontcolor="#495057", arrowsize=0.7, penwidth=1.2];',
    ]
    for node in canvas.nodes:
        fill, border = COLOURS[node.kind]
        style = ', style="filled"' if node.kind == "condition" else ""
        numbers = _numbers((counts or {}).get(node.id, {}), language)
        lines.append(
            f'  "{node.id}" [shape={_SHAPES[node.kind]}, fillcolor="{fill}", color="{border}"{style}, '
            f"label=<{_label(canvas, node, language, catalog)}{numbers}>];"
        )
    for node in canvas.nodes:
        if isinstance(node, Condition):
            yes, no = ("是", "否") if language == "zh" else ("yes", "no")
            lines.append(f'  "{node.id}" -> "{node.yes}" [label={_quoted(yes)}, color="#1E9E63"];')
            lines.append(f'  "{node.id}" -> "{node.no}" [label={_quoted(no)}, color="#C92A2A", style=dashed];')
        else:
            lines += [f'  "{node.id}" -> "{target}";' for target in following(node)]
    return "\n".join([*lines, "}"]) + "\n"


def _label(canvas: Canvas, node: Node, language: Language, catalog: Catalog | None) -> str:
    zh = language == "zh"

    def words(expression: str) -> str:
        return in_words(expression, catalog, language) if catalog else expression

    if isinstance(node, Entry):
        title, detail = ("客群进入" if zh else "Audience"), words(node.segment)
    elif isinstance(node, HoldOut):
        title, detail = (
            (f"留出 {node.percent:g}%" if zh else f"Hold out {node.percent:g} %"),
            ("不触达，作对照" if zh else "never touched: the control"),
        )
    elif isinstance(node, Delay):
        span = delay_words(node, language)
        title, detail = (f"等待 {span}" if zh else f"Wait {span}"), ""
    elif isinstance(node, Condition):
        title, detail = ("满足条件？" if zh else "Condition?"), words(node.expression)
    elif isinstance(node, Touch):
        arms = ", ".join(f"{arm.name.upper()} {arm.share:g}%" for arm in node.arms) if len(node.arms) > 1 else ""
        title, detail = channel_name(node.channel, language), arms or node.arms[0].text
    else:
        days, goal = canvas.goal.window_days, canvas.goal.event
        if catalog:
            goal = goal_words(canvas.goal, catalog, language)
        title = "结束" if zh else "End"
        detail = f"目标：{days} 天内{'' if catalog else ' '}{goal}" if zh else f"goal: {goal} within {days} days"
    if node.label:
        title = f"{title} · {node.label}"
    return f"<b>{escape(title)}</b>" + (
        f'<br/><font point-size="10" color="#495057">{escape(_short(detail))}</font>' if detail else ""
    )


def _numbers(numbers: Mapping[str, int], language: Language) -> str:
    shown = [
        f"{zh if language == 'zh' else en} {numbers[key]:,}"
        for key, (zh, en) in _COUNTS.items()
        if key in numbers and (numbers[key] or key == "entered")
    ]
    return f'<br/><font point-size="10" color="#1864AB"><b>{escape(" · ".join(shown))}</b></font>' if shown else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    # A Chinese character is about twice as wide as a Latin one.
    width = _EXCERPT if any(ord(c) > 0x2E80 for c in line) else 2 * _EXCERPT
    return line if len(line) <= width else line[: width - 1] + "…"


def escape(text: str) -> str:
    return _escape(text, quote=False)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
