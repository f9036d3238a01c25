"""Which of a playbook's audiences works on this bank's catalog, and how many customers it has."""

from control.records import Records
from knowledge import Audience, Playbook
from tools.playbook.schema import Fit
from tools.segment import Segments, parse, to_text
from tools.segment.errors import ExpressionError
from warehouse.catalog import Language
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence


def fit(
    playbook: Playbook, segments: Segments, records: Records, thread: str, language: Language
) -> tuple[Fit, list[Evidence]]:
    """The first audience that this catalog can express and that somebody belongs to; else the first it can express.

    Returns:
        The fit and the kept evidence of every count that was made.
    """
    reasons: list[str] = []
    kept: list[Evidence] = []
    empty: Fit | None = None
    for position, audience in enumerate(playbook.audiences()):
        try:
            node = parse(audience.expression, segments.catalog)
            count = segments.count(node, diagnose=False)
        except ModelRetry as error:
            reasons.append(_lacks(audience, error, language))
            continue
        here = [records.keep_evidence(one, thread) for one in count.evidence]
        kept += here
        found = Fit(
            how="as_written" if position == 0 else "alternative",
            expression=to_text(node),
            words=audience.words.of(language),
            count=count.count,
            total=count.total,
            why=" ".join(reasons),
            evidence=here[0].id if here else "",
        )
        if count.count:
            return found, kept
        reasons.append(_nobody(audience, language))
        empty = empty or found.model_copy(update={"how": "nobody"})
    if empty is not None:
        return empty.model_copy(update={"why": " ".join(reasons)}), kept
    return Fit(how="none", why=" ".join(reasons)), kept


def _lacks(audience: Audience, error: ModelRetry, language: Language) -> str:
    said = error.text(language) if isinstance(error, ExpressionError) else str(error)
    if language == "zh":
        return f"“{audience.words.zh}”在本行用不了：{said}"
    return f"'{audience.words.en}' does not work here: {said}"


def _nobody(audience: Audience, language: Language) -> str:
    if language == "zh":
        return f"本行目前没有“{audience.words.zh}”。"
    return f"This bank has nobody at present who fits '{audience.words.en}'."
