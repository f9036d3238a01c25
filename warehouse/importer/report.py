"""What an import did, in numbers that add up, and as text people read in both languages."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from warehouse.catalog import Language
from warehouse.errors import DeveloperFixes
from warehouse.importer.mapping import Text


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counted(Model):
    """Anything of which nothing may get lost."""

    name: str
    read: int
    imported: int
    quarantined: int


class SourceReport(Counted):
    """One source. `read` = `imported` + `quarantined`, always.

    `lookup`: no table names its records (`_row`), so a readable record counts as imported. `truncated`: the file breaks off.
    """

    path: str
    sha256: str
    bytes: int
    lookup: bool = False
    truncated: bool = False


class TableReport(Counted):
    """One canonical table: rows the SELECT made (`read`), rows now in the warehouse, rows set aside."""


class Reason(Model):
    """Why records were set aside: how many (a record may have several reasons) and the first places."""

    kind: str
    source: str
    table: str
    column: str
    records: int
    message: Text
    places: list[str]


class ImportReport(Model):
    """Saved as `import-report.json` and as text in `import-report.txt` of the home."""

    mapping: str
    title: Text
    licence: str
    citation: str
    as_of: datetime
    zone: str
    demo: bool
    sources: list[SourceReport]
    tables: list[TableReport]
    reasons: list[Reason]
    consent: str
    consent_reason: Text | None
    missing: list[Text]
    carried_over: dict[str, int]
    quarantine_file: str
    imported_at: datetime
    seconds: float

    @property
    def read(self) -> int:
        return sum(source.read for source in self.sources)

    @property
    def imported(self) -> int:
        return sum(source.imported for source in self.sources)

    @property
    def quarantined(self) -> int:
        return sum(source.quarantined for source in self.sources)

    def table(self, name: str) -> TableReport:
        return next(table for table in self.tables if table.name == name)

    def source(self, name: str) -> SourceReport:
        return next(source for source in self.sources if source.name == name)

    def checked(self) -> Self:
        """Raises: DeveloperFixes if a record was lost or counted twice."""
        parts: list[Counted] = [*self.sources, *self.tables]
        for part in parts:
            if part.read != part.imported + part.quarantined:
                raise DeveloperFixes(
                    f"{part.name}: {part.read} read, but {part.imported} imported and {part.quarantined} quarantined.",
                    "The import was not put in place. Please report this with the mapping.",
                )
        return self

    def __str__(self) -> str:
        return self.text("zh") + "\n" + self.text("en")

    def text(self, language: Language) -> str:
        """The report for people."""
        return _zh(self) if language == "zh" else _en(self)


MESSAGES: dict[str, Text] = {
    "undecodable": Text(zh="这一行的字节不符合声明的编码", en="the line is not in the declared encoding"),
    "quoting": Text(zh="引号没有配对", en="a quote is opened or closed in the wrong place"),
    "fields": Text(zh="字段数与表头不符", en="the number of fields differs from the header"),
    "blank": Text(zh="空行", en="the line is blank"),
    "json": Text(zh="不是一个 JSON 对象", en="the line is not a JSON object"),
    "cut_off": Text(zh="文件在这一行中断", en="the file is cut off in this line"),
    "type": Text(zh="列 {col} 不是 {expected} 类型", en="column {col} is not of type {expected}"),
    "required": Text(zh="缺少必填列 {col}", en="required column {col} has no value"),
    "allowed": Text(zh="列 {col} 的取值不在允许范围内：{expected}", en="column {col} is none of: {expected}"),
    "duplicate": Text(
        zh="键 {col} 重复，保留最先出现的一条", en="the key {col} is there already; the first one is kept"
    ),
    "repeated": Text(zh="整行与前面某一行完全相同", en="the whole record repeats an earlier one"),
    "dangling": Text(
        zh="列 {col} 指向的 {expected} 不存在或已被隔离",
        en="column {col} refers to a {expected} that does not exist or was quarantined",
    ),
    "future": Text(zh="列 {col} 晚于数据截止时间", en="column {col} lies after the data cut-off"),
    "unused": Text(zh="映射没有用到这一行", en="no table of the mapping takes this record"),
}

SHOWN = 12
"""Missing entries that the readable text names."""


def message(kind: str, col: str, expected: str) -> Text:
    """Why a record was set aside: names columns and expected types, never a value."""
    text = MESSAGES[kind]
    return Text(zh=text.zh.format(col=col, expected=expected), en=text.en.format(col=col, expected=expected))


def _en(report: ImportReport) -> str:
    lines = [
        f"Import of {report.title.en}: {report.read:,} records read, {report.imported:,} imported, "
        f"{report.quarantined:,} quarantined, in {report.seconds:.1f} s. Data up to {report.as_of.isoformat()}.",
        "",
        "Sources",
    ]
    for s in report.sources:
        cut = "; the file breaks off" if s.truncated else ""
        lines.append(f"  {s.name}: {s.read:,} read = {s.imported:,} imported + {s.quarantined:,} quarantined{cut}")
        lines.append(f"    {s.path} sha256:{s.sha256}")
    lines += ["", "Tables"]
    lines += [f"  {t.name}: {t.imported:,} rows, {t.quarantined:,} set aside" for t in report.tables]
    if report.reasons:
        lines += ["", f"Quarantine ({report.quarantine_file})"]
        lines += [f"  {r.records:,} × {r.message.en} — {', '.join(r.places)}" for r in report.reasons]
    if report.consent_reason:
        lines += ["", f"Consent is ASSUMED, so no real channel will send: {report.consent_reason.en}"]
    if report.missing:
        lines += [
            "",
            "This bank has no data on: "
            + _some([m.en for m in report.missing], ", ", "{n} more in import-report.json"),
        ]
    if report.carried_over:
        lines += ["", "Kept from before: " + ", ".join(f"{n:,} {t}" for t, n in report.carried_over.items())]
    if report.licence:
        lines += ["", f"Licence: {report.licence}", report.citation]
    return "\n".join(lines).rstrip() + "\n"


def _zh(report: ImportReport) -> str:
    lines = [
        f"导入{report.title.zh}：读取 {report.read:,} 条，导入 {report.imported:,} 条，隔离 {report.quarantined:,} 条，"
        f"用时 {report.seconds:.1f} 秒。数据截至 {report.as_of.isoformat()}。",
        "",
        "数据源",
    ]
    for s in report.sources:
        cut = "；文件中断" if s.truncated else ""
        lines.append(f"  {s.name}：读取 {s.read:,} = 导入 {s.imported:,} + 隔离 {s.quarantined:,}{cut}")
        lines.append(f"    {s.path} sha256:{s.sha256}")
    lines += ["", "数据表"]
    lines += [f"  {t.name}：{t.imported:,} 行，搁置 {t.quarantined:,} 行" for t in report.tables]
    if report.reasons:
        lines += ["", f"隔离区（{report.quarantine_file}）"]
        lines += [f"  {r.records:,} × {r.message.zh} — {'、'.join(r.places)}" for r in report.reasons]
    if report.consent_reason:
        lines += ["", f"同意为【假定】，真实渠道不会发送：{report.consent_reason.zh}"]
    if report.missing:
        lines += ["", "本行没有：" + _some([m.zh for m in report.missing], "、", "其余 {n} 项见 import-report.json")]
    if report.carried_over:
        lines += ["", "沿用之前的：" + "、".join(f"{t} {n:,} 行" for t, n in report.carried_over.items())]
    if report.licence:
        lines += ["", f"许可：{report.licence}", report.citation]
    return "\n".join(lines).rstrip() + "\n"


def _some(words: list[str], separator: str, rest: str) -> str:
    """The first words, and how many more there are: a long list is for the file, not for the eye."""
    shown = words[:SHOWN]
    more = [rest.format(n=len(words) - SHOWN)] if len(words) > SHOWN else []
    return separator.join([*shown, *more])
