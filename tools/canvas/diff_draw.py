"""The difference between two versions as one picture: added nodes green, removed ones red, changed ones amber."""

from tools.canvas.diff import difference
from tools.canvas.draw import edge_line, escape, head, node_line
from tools.canvas.schema import Canvas, Node
from tools.canvas.words import edge_words
from warehouse.catalog import Catalog, Language

ADDED, REMOVED, CHANGED, SAME = (
    ("#D3F9D8", "#2B8A3E"),
    ("#FFE3E3", "#C92A2A"),
    ("#FFF3BF", "#E67700"),
    ("#F8F9FA", "#CED4DA"),
)
"""Fill, border."""
_LEGEND = (
    (ADDED, ("新增", "added")), (REMOVED, ("删除", "removed")), (CHANGED, ("修改", "changed")), (SAME, ("未变", "same")),
)  # fmt: skip


def draw_difference(old: Canvas, new: Canvas, language: Language, catalog: Catalog | None = None) -> str:
    """The DOT text: the new graph, with what is gone from the old one in its place, dashed."""
    before, after = ({node.id: node for node in canvas.nodes} for canvas in (old, new))
    steps = [change.place.split(".") for change in difference(old, new)]
    touched = {place[2] if place[0] == "overrides" else place[0] for place in steps}
    lines = head(new.name)
    for name, node in {**before, **after}.items():
        colours = (
            ADDED if name not in before else REMOVED if name not in after else CHANGED if name in touched else SAME
        )
        more = ', style="filled,rounded,dashed"' if name not in after else ', style="filled,rounded"'
        owner = new if name in after else old
        lines.append(node_line(owner, node, language, catalog, colours=colours, more=more))
    lines += _edges(before, after, language, catalog)
    lines.append(_legend(language))
    return "\n".join([*lines, "}"]) + "\n"


def _edges(before: dict[str, Node], after: dict[str, Node], language: Language, catalog: Catalog | None) -> list[str]:
    olds, news = (
        {(name, target): label for name, node in side.items() for label, target in edge_words(node, language, catalog)}
        for side in (before, after)
    )
    lines = []
    for (name, target), label in {**olds, **news}.items():
        fresh, gone = (name, target) not in olds, (name, target) not in news
        colour = ADDED[1] if fresh else REMOVED[1] if gone else "#868E96"
        style = f'color="{colour}"' + (", penwidth=2" if fresh else ", style=dashed" if gone else "")
        lines.append(edge_line((after if name in after else before)[name], label, target, language, style))
    return lines


def _legend(language: Language) -> str:
    side = 0 if language == "zh" else 1
    cells = "".join(
        f'<td bgcolor="{fill}" border="1" color="{border}"><font point-size="10">{escape(words[side])}</font></td>'
        for (fill, border), words in _LEGEND
    )
    table = f'<table border="0" cellspacing="4" cellpadding="4"><tr>{cells}</tr></table>'
    return f'  "_legend" [shape=plaintext, style="", label=<{table}>];'
