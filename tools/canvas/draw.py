"""A canvas as a Graphviz picture (DOT): one colour per kind of node, words instead of codes, counts where they are known."""

from collections.abc import Mapping
from html import escape as _escape

from tools.canvas.schema import Canvas, Condition, Exit, Node
from tools.canvas.words import edge_words, goal_words, node_words
from warehouse.catalog import Catalog, Language

FONT = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, Helvetica, Arial, sans-serif"
COLOURS: dict[str, tuple[str, str]] = {
    "entry": ("#E8F1FE", "#2F6FDE"),
    "hold_out": ("#F1F3F5", "#868E96"),
    "delay": ("#FFF8E6", "#E0A100"),
    "wait": ("#FFF4E6", "#E8590C"),
    "condition": ("#F5EFFE", "#7C4DDB"),
    "split": ("#F3F0FF", "#7048E8"),
    "audience_split": ("#F3F0FF", "#7048E8"),
    "time_split": ("#F3F0FF", "#7048E8"),
    "touch": ("#E6F7EE", "#1E9E63"),
    "tag": ("#E3FAFC", "#0C8599"),
    "exit": ("#F8F9FA", "#ADB5BD"),
}
"""Kind of node → fill, border."""
_FORKS = ("condition", "wait", "split", "audience_split", "time_split")
_SECOND = ("超时", "timed out", "其余", "others", "其他时间", "other times", "无客户经理", "no manager")
_LOCK: dict[Language, str] = {
    "zh": ' <font point-size="9" color="#868E96">[总行锁定]</font>',
    "en": ' <font point-size="9" color="#868E96">[locked]</font>',
}
_COUNTS: dict[str, tuple[str, str]] = {
    "entered": ("进入", "entered"),
    "held_out": ("留出", "held out"),
    "sent": ("发送", "sent"),
    "capped": ("超频", "capped"),
    "deferred": ("延期", "deferred"),
    "abandoned": ("放弃", "abandoned"),
}
_EXCERPT = 22


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
    lines = head(canvas.name)
    for node in canvas.nodes:
        lines.append(node_line(canvas, node, language, catalog, numbers=(counts or {}).get(node.id, {})))
    for node in canvas.nodes:
        lines += [edge_line(node, *way, language) for way in edge_words(node, language, catalog)]
    return "\n".join([*lines, "}"]) + "\n"


def head(name: str) -> list[str]:
    """The first lines of a picture: fonts, margins, title."""
    return [
        "digraph canvas {",
        f'  graph [rankdir=TB, bgcolor="transparent", nodesep=0.45, ranksep=0.4, fontname="{FONT}", '
        f'labelloc=t, fontsize=16, fontcolor="#212529", label={_quoted(name)}];',
        f'  node [fontname="{FONT}", fontsize=12, style="filled,rounded", penwidth=1.4, fontcolor="#212529", '
        # Graphviz in a browser does not know the fonts and takes Chinese text for narrower than it is.
        'margin="0.42,0.12"];',
        f'  edge [fontname="{FONT}", fontsize=11, color="#868E96", fontcolor="#495057", arrowsize=0.7, penwidth=1.2];',
    ]


def node_line(
    canvas: Canvas,
    node: Node,
    language: Language,
    catalog: Catalog | None = None,
    *,
    numbers: Mapping[str, int] | None = None,
    colours: tuple[str, str] | None = None,
    more: str = "",
) -> str:
    """One node.

    Args:
        colours: fill and border other than those of its kind.
        more: attributes of Graphviz besides, each with a comma before it.
    """
    fill, border = colours or COLOURS[node.kind]
    shape = "hexagon" if node.kind in _FORKS else "box"
    style = ', style="filled"' if node.kind in _FORKS and not more else ""
    label = f"{_label(canvas, node, language, catalog)}{_numbers(numbers or {}, language)}"
    return f'  "{node.id}" [shape={shape}, fillcolor="{fill}", color="{border}"{style}{more}, label=<{label}>];'


def edge_line(node: Node, label: str, target: str, language: Language, more: str = "") -> str:
    """One way out of a node; those of a condition are green and red."""
    given = [f"label={_quoted(_short(label))}"] if label else []
    if isinstance(node, Condition) and not more:
        yes = label in ("是", "yes")
        given.append('color="#1E9E63"' if yes else 'color="#C92A2A", style=dashed')
    if label in _SECOND:
        given.append("style=dashed")
    return f'  "{node.id}" -> "{target}" [{", ".join([*given, *([more] if more else [])])}];'.replace(" []", "")


def _label(canvas: Canvas, node: Node, language: Language, catalog: Catalog | None) -> str:
    title, detail = node_words(node, language, catalog)
    if isinstance(node, Exit):
        days, goal = canvas.goal.window_days, canvas.goal.event
        if catalog:
            goal = goal_words(canvas.goal, catalog, language)
        detail = (
            f"目标：{days} 天内{'' if catalog else ' '}{goal}"
            if language == "zh"
            else f"goal: {goal} within {days} days"
        )
    if node.label:
        title = f"{title} · {node.label}"
    lock = _LOCK[language] if any(_locks_node(path, node.id) for path in canvas.locked) else ""
    return f"<b>{escape(title)}</b>{lock}" + (
        f'<br/><font point-size="10" color="#495057">{escape(_short(detail))}</font>' if detail else ""
    )


def _locks_node(path: str, node_id: str) -> bool:
    head, _, rest = path.partition(".")
    return head == "nodes" and rest.partition(".")[0] in ("", "*", node_id)


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
