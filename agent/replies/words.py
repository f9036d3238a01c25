"""Small things that all replies need: numbers, tables, and saying one thing in the thread's language."""

from collections.abc import Iterable, Sequence

from warehouse.catalog import Language

STATUS: dict[str, tuple[str, str]] = {
    "pending": ("待审批", "waiting for approval"),
    "approved": ("已批准", "approved"),
    "releasing": ("放行中", "being released"),
    "released": ("已放行", "released"),
    "rejected": ("已驳回", "rejected"),
    "returned": ("已退回", "returned"),
    "expired": ("已过期", "expired"),
    "revoked": ("已撤销", "revoked"),
    "voided": ("已作废", "voided"),
    "withdrawn": ("已撤回", "withdrawn"),
    "blocked": ("无适用规则", "blocked"),
}
ROLES: dict[str, tuple[str, str]] = {
    "operator": ("运营", "operator"),
    "manager": ("管理者", "manager"),
    "approver": ("审批人", "approver"),
    "compliance": ("合规", "compliance"),
    "admin": ("管理员", "administrator"),
}
ARMS: dict[str, tuple[str, str]] = {"control": ("对照组", "control"), "treatment": ("触达组", "treatment")}


def named(code: str, names: dict[str, tuple[str, str]], language: Language) -> str:
    """A code in words; as it is where it is a name of the bank's own."""
    zh, en = names.get(code, (code, code))
    return zh if language == "zh" else en


def own_half(name: str, language: Language) -> str:
    """The half of a name that was given in both languages: '9月发薪日 / September payday'."""
    zh, slash, en = name.partition(" / ")
    return (zh if language == "zh" else en) if slash else name


def p_value(p: float) -> str:
    """Three decimals say enough."""
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"


def pick(language: Language, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def number(value: float | int | None, digits: int = 0) -> str:
    """1234567 → '1,234,567'; None → '—'."""
    return "—" if value is None else f"{value:,.{digits}f}"


def percent(share: float | None, digits: int = 1) -> str:
    """0.0625 → '6.2%'; None → '—'."""
    return "—" if share is None else f"{share * 100:.{digits}f}%"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells are escaped."""
    lines = [_line(header), "|" + "---|" * len(header)]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def listed(items: Iterable[str], language: Language) -> str:
    """Items in a row, separated as the language does."""
    return pick(language, "、", ", ").join(items)


def paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
