"""What the library recommends, with the counts that make it fit this bank."""

from agent.replies.words import bullets, listed, number, paragraphs, percent, pick
from tools.canvas.words import CHANNEL_WORDS, channel_name
from tools.playbook.schema import Fit, FoundPlaybooks, PlannedWave, PlaybookFound
from warehouse.catalog import Language


def found(result: FoundPlaybooks, language: Language) -> str:
    """The best playbook whole, the others by name."""
    if not result.playbooks:
        return ""
    best, *others = result.playbooks
    more = pick(language, "也可以看：", "Also near: ") + listed((f"{o.title} `{o.id}`" for o in others), language)
    next_step = pick(
        language,
        "要照这份剧本拟一版画布，说“就用这个出一套”。",
        "Say “draft it” for a canvas from this playbook.",
    )
    return paragraphs(_best(best, language), more if others else "", next_step)


def _best(book: PlaybookFound, language: Language) -> str:
    head = f"**{book.title}** `{book.id}`\n\n{book.scenario}"
    audience = pick(language, "**客群** ", "**Audience** ") + _audience(book.audience, language)
    timing = pick(language, "**时机** ", "**Timing** ") + book.timing
    waves = [_wave(w, language) for w in book.waves]
    goal = pick(
        language,
        f"**目标** {book.goal_window_days} 天内 `{_goal(book)}`；留 {book.holdout_percent:g}% 对照",
        f"**Goal** `{_goal(book)}` within {book.goal_window_days} days; hold out {book.holdout_percent:g}%",
    )
    benefits = _titled(pick(language, "权益建议", "Benefit ideas"), book.benefits)
    cautions = _titled(pick(language, "注意", "Cautions"), book.cautions)
    figures = _titled(
        pick(language, "参考数据", "Figures from elsewhere"),
        [
            pick(language, f"{f.figure}（{f.origin}；{f.limits}）", f"{f.figure} ({f.origin}; {f.limits})")
            for f in book.figures
        ],
    )
    return paragraphs(head, audience, timing, bullets(waves), goal, benefits, cautions, figures)


def _goal(book: PlaybookFound) -> str:
    return f"{book.goal_event} where {book.goal_where}" if book.goal_where else book.goal_event


def _audience(fit: Fit, language: Language) -> str:
    if not fit.expression:
        return fit.why
    count = pick(
        language,
        f"{fit.words}：本行 **{number(fit.count)}** 人（{_share(fit)}）",
        f"{fit.words}: **{number(fit.count)}** of this bank's customers ({_share(fit)})",
    )
    reference = f" [{fit.evidence}]" if fit.evidence else ""
    why = f"  \n{fit.why}" if fit.why else ""
    return f"{count}{reference}  \n`{fit.expression}`{why}"


def _share(fit: Fit) -> str:
    return percent(fit.count / fit.total) if fit.count is not None and fit.total else "—"


def _wave(wave: PlannedWave, language: Language) -> str:
    clock = f" {wave.hour:02d}:00" if wave.hour is not None else ""
    name = channel_name(wave.channel, language) if wave.channel in CHANNEL_WORDS else wave.channel
    return f"D{wave.day}{clock} {name}: {wave.text}"


def _titled(title: str, items: list[str]) -> str:
    return f"**{title}**\n{bullets(items)}" if items else ""
