"""Curves of cost against size as SVG, on doubly logarithmic axes, where linear cost is a line of slope one."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 76, 250, 52, 60
COLOURS = ("#2563b0", "#c2571a", "#2e7d4f", "#8a3fa0", "#a07a10", "#4a5568")
LABEL_STEP = 17


def draw(path: Path, title: str, curves: Mapping[str, Points], x: str, y: str) -> None:
    """Draw curves of (size, seconds), each with the dashed line it would follow if its cost were linear.

    Args:
        path: the SVG file to write; its folder is made.
        curves: by name, points in ascending order of size; sizes and seconds are above zero.
        x, y: what the axes show.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg(title, curves, x, y), "utf-8")


def svg(title: str, curves: Mapping[str, Points], x: str, y: str) -> str:
    sizes = sorted({size for points in curves.values() for size, _ in points})
    straight = {name: _linear(points) for name, points in curves.items()}
    costs = [cost for points in (*curves.values(), *straight.values()) for _, cost in points]
    across = _scale(sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)
    low, high = 10 ** math.floor(math.log10(min(costs))), 10 ** math.ceil(math.log10(max(costs)))
    up = _scale(low, high if high > low else low * 10, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1f2933">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 26, title, 'font-size="15" font-weight="bold"'),
        *(_tick_x(across(size), _count(size)) for size in sizes),
        *(_tick_y(up(cost), f"{cost:g}") for cost in _decades(low, high)),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, x, 'text-anchor="middle"'),
        _text(18, (TOP + HEIGHT - BOTTOM) / 2, y, f'text-anchor="middle" transform="rotate(-90 18 {(TOP + HEIGHT - BOTTOM) / 2:g})"'),
    ]  # fmt: skip
    ends = _apart({name: up(points[-1][1]) for name, points in curves.items()})
    for colour, (name, points) in zip(COLOURS * len(curves), curves.items(), strict=False):
        parts.append(_line(straight[name], across, up, f'stroke="{colour}" stroke-width="1" stroke-dasharray="4 4" opacity="0.55"'))  # fmt: skip
        parts.append(_line(points, across, up, f'stroke="{colour}" stroke-width="2"'))
        parts += [f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="3" fill="{colour}"/>' for a, b in points]
        end = f"{name}: {_seconds(points[-1][1])}"
        parts.append(_text(WIDTH - RIGHT + 12, ends[name] + 4, end, f'fill="{colour}"'))
    parts.append(_text(WIDTH - RIGHT + 12, HEIGHT - BOTTOM, "dashed: linear from the first point", 'fill="#6b7785"'))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _linear(points: Points) -> Points:
    size, cost = points[0]
    return [points[0], (points[-1][0], cost * points[-1][0] / size)]


class _scale:
    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.span = math.log(low), math.log(high) - math.log(low) or 1.0
        self.start, self.length = start, end - start

    def __call__(self, value: float) -> float:
        return self.start + (math.log(value) - self.low) / self.span * self.length


def _decades(low: float, high: float) -> list[float]:
    return [10**n for n in range(round(math.log10(low)), round(math.log10(high)) + 1)]


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """Heights for labels so that no two overlap, each as near its curve's end as its upper neighbours allow."""
    placed: dict[str, float] = {}
    last = -math.inf
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        last = max(height, last + LABEL_STEP)
        placed[name] = last
    return placed


def _line(points: Points, across: _scale, up: _scale, style: str) -> str:
    path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in points)
    return f'<polyline points="{path}" fill="none" {style}/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>'


def _tick_x(at: float, label: str) -> str:
    line = f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#e3e8ee"/>'
    return line + _text(round(at, 1), HEIGHT - BOTTOM + 18, label, 'text-anchor="middle"')


def _tick_y(at: float, label: str) -> str:
    line = f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#e3e8ee"/>'
    return line + _text(LEFT - 8, round(at + 4, 1), label, 'text-anchor="end"')


def _count(size: float) -> str:
    return f"{size / 1e6:g} M" if size >= 1e5 else f"{size:,.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
