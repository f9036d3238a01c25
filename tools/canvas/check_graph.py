"""Checks of a canvas's shape: entry, edges, circles, exits, shares."""

from collections import Counter

from tools.canvas.findings import Finding, error, warning
from tools.canvas.graph import following
from tools.canvas.schema import AudienceSplit, Canvas, Entry, Exit, HoldOut, Split, TimeSplit, Touch


def check_graph(canvas: Canvas) -> list[Finding]:
    """Everything that makes a canvas impossible to run, whatever it says."""
    findings: list[Finding] = []
    for name, n in Counter(node.id for node in canvas.nodes).items():
        if n > 1:
            findings.append(
                error(
                    "duplicate_node",
                    name,
                    (f"有 {n} 个节点都叫 {name}。", f"{n} nodes are called {name}."),
                    ("给每个节点不同的 id。", "Give every node an id of its own."),
                )
            )
    index = {node.id: node for node in canvas.nodes}
    entries = [node for node in canvas.nodes if isinstance(node, Entry)]
    if len(entries) != 1:
        findings.append(
            error(
                "one_entry",
                "nodes",
                (f"画布应恰有一个入口，现有 {len(entries)} 个。", f"A canvas has one entry; this has {len(entries)}."),
                ("保留一个 kind: entry 的节点。", "Keep exactly one node of kind: entry."),
            )
        )
    for node in canvas.nodes:
        for target in following(node):
            if target not in index:
                findings.append(
                    error(
                        "dangling_next",
                        node.id,
                        (
                            f"{node.id} 指向不存在的节点 {target}。",
                            f"{node.id} leads to {target}, which does not exist.",
                        ),
                        (f"改为这些之一：{', '.join(index)}。", f"Name one of: {', '.join(index)}."),
                    )
                )
    if any(finding.code in ("duplicate_node", "dangling_next", "one_entry") for finding in findings):
        return findings + _shares(canvas)
    reachable = _from(entries[0].id, {n.id: following(n) for n in canvas.nodes})
    for node in canvas.nodes:
        if node.id not in reachable:
            findings.append(
                error(
                    "unreachable",
                    node.id,
                    (f"从入口到不了 {node.id}。", f"{node.id} cannot be reached from the entry."),
                    ("把它接入流程，或删除。", "Connect it, or remove it."),
                )
            )
    circle = _circle(canvas)
    if circle:
        way = " → ".join(circle)
        findings.append(
            error(
                "cycle",
                circle[0],
                (f"流程走成了圈：{way}。", f"The flow leads in a circle: {way}."),
                ("去掉其中一条边；想重复触达就再加一波。", "Remove one of these edges; to touch again, add a wave."),
            )
        )
    backwards: dict[str, list[str]] = {node.id: [] for node in canvas.nodes}
    for node in canvas.nodes:
        for target in following(node):
            backwards[target].append(node.id)
    ends = {n.id for n in canvas.nodes if isinstance(n, Exit)}
    leads_out = set().union(*(_from(end, backwards) for end in ends)) if ends else set()
    for node in canvas.nodes:
        if node.id in reachable and node.id not in leads_out:
            findings.append(
                error(
                    "no_exit",
                    node.id,
                    (f"从 {node.id} 走不到出口。", f"No way from {node.id} ends in an exit."),
                    ("把这条路接到一个 kind: exit 的节点。", "Lead this way to a node of kind: exit."),
                )
            )
    if not any(isinstance(node, HoldOut) for node in canvas.nodes):
        findings.append(
            warning(
                "no_hold_out",
                "nodes",
                ("没有对照组，事后只能看到关联，说不清是不是活动带来的。",
                 "There is no hold-out: afterwards only association can be read, not what the campaign caused."),
                ("加一个 10% 的留出节点。", "Add a hold-out of 10 %."),
            )
        )  # fmt: skip
    return findings + _shares(canvas)


def _shares(canvas: Canvas) -> list[Finding]:
    findings = []
    for node in canvas.nodes:
        match node:
            case Touch():
                findings += share_findings(node.id, [(arm.name, arm.share) for arm in node.arms])
            case Split():
                findings += share_findings(node.id, [(way.name, way.share) for way in node.ways])
            case AudienceSplit():
                findings += _names(node.id, [case.name for case in node.cases])
            case TimeSplit():
                findings += _names(node.id, [window.name for window in node.windows])
    return findings


def share_findings(place: str, ways: list[tuple[str, float]]) -> list[Finding]:
    """Shares of arms or ways must add up to 100, and their names differ."""
    findings = []
    total = sum(share for _, share in ways)
    if abs(total - 100) > 1e-6:
        findings.append(
            error(
                "shares",
                place,
                (
                    f"{place} 各组占比合计 {total:g}%，应为 100%。",
                    f"The shares of {place} add up to {total:g}, not 100.",
                ),
                ("调整各组占比。", "Change the shares."),
            )
        )
    return findings + _names(place, [name for name, _ in ways])


def _names(place: str, names: list[str]) -> list[Finding]:
    if len(set(names)) == len(names):
        return []
    return [
        error(
            "duplicate_arm",
            place,
            (f"{place} 有重名的分组。", f"Two ways of {place} have the same name."),
            ("给每组不同的名字。", "Give each a name of its own."),
        )
    ]


def _from(start: str, edges: dict[str, list[str]]) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        for target in edges[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _circle(canvas: Canvas) -> list[str]:
    """One circle of the graph as the ids along it, the first repeated at the end; empty if there is none."""
    edges = {node.id: following(node) for node in canvas.nodes}
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            node, place = stack.pop()
            if place == 0:
                if node in done:
                    continue
                path.append(node)
            if place < len(edges[node]):
                stack.append((node, place + 1))
                target = edges[node][place]
                if target in path:
                    return [*path[path.index(target) :], target]
                stack.append((target, 0))
            else:
                done.add(node)
                path.pop()
    return []
