"""What is wrong with an expression, where, and what would mend it; told in English and Chinese."""

from collections.abc import Sequence

from warehouse.catalog import Language
from warehouse.errors import ModelRetry


class ExpressionError(ModelRetry):
    """An expression cannot be read or does not fit the catalog.

    `details` hold `position` (characters from the start, 0-based), `token`, `expected`, `nearest`, `marked` (the
    expression with the offending part between »«) and the Chinese texts `message_zh` and `fix_zh`.
    """

    code = "expression"

    def __init__(
        self,
        message: str,
        message_zh: str,
        *,
        text: str = "",
        position: int = 0,
        token: str = "",
        fix: str = "",
        fix_zh: str = "",
        expected: Sequence[str] = (),
        nearest: Sequence[str] = (),
    ) -> None:
        marked = _mark(text, position, token)
        place, place_zh = (f" In: {marked}", f" 位置：{marked}") if marked else ("", "")
        if nearest:
            fix = f"{fix} Nearest: {', '.join(nearest)}.".strip()
            fix_zh = f"{fix_zh}相近的有：{'、'.join(nearest)}。"
        super().__init__(
            message + place,
            fix,
            position=position,
            token=token,
            expected=list(expected),
            nearest=list(nearest),
            marked=marked,
            message_zh=message_zh + place_zh,
            fix_zh=fix_zh,
        )

    def text(self, language: Language) -> str:
        """The whole message in one language."""
        if language == "en":
            return str(self)
        return f"{self.details['message_zh']} {self.details['fix_zh']}".strip()


def _mark(text: str, position: int, token: str) -> str:
    if not text:
        return ""
    end = position + len(token)
    start = max(0, position - 60)
    before, after = text[start:position], text[end : end + 40]
    return f"{'…' if start else ''}{before}»{text[position:end]}«{after}{'…' if end + 40 < len(text) else ''}"
