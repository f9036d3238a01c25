"""A segment in plain Chinese or English, so that operators can read back what was understood."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.segment import schema as s
from tools.segment.vocabulary import Field, Listing, vocabulary
from warehouse.catalog import Attribute, Catalog, Kind, Language, Property

Fields = Mapping[str, Attribute | Property]

_COMPARE_ZH = {"=": "等于", "!=": "不等于", "<": "小于", "<=": "不超过", ">": "大于", ">=": "不低于"}
_COMPARE_EN = {"=": "is", "!=": "is not", "<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_DATE_EN = {"=": "on", "!=": "not on", "<": "before", "<=": "on or before", ">": "after", ">=": "on or after"}
_DATE_ZH = {"=": "为", "!=": "不为", "<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"}
_MATCH_ZH = {"contains": "包含", "starts_with": "以…开头：", "ends_with": "以…结尾："}
_MATCH_EN = {"contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}
_PERIOD_ZH: dict[str, str] = {
    "today": "今天", "yesterday": "昨天", "this_week": "本周", "last_week": "上周", "this_month": "本月", "last_month": "上月",
    "this_quarter": "本季度", "last_quarter": "上季度", "this_year": "今年", "last_year": "去年",
}  # fmt: skip

_UNITS = {"min": ("分钟", "minute"), "h": ("小时", "hour"), "d": ("天", "day"), "month": ("个月", "month")}
_MEASURE_ZH: dict[s.MeasureKind, str] = {
    "count": "{list}的次数", "distinct": "{list}的不同{what}个数", "sum": "{list}的{what}合计", "min": "{list}的最小{what}",
    "max": "{list}的最大{what}", "avg": "{list}的平均{what}", "latest": "最新一次{list}的{what}", "earliest": "最早一次{list}的{what}",
    "recency": "最近一次{list}距今天数", "since_first": "首次{list}距今天数",
}  # fmt: skip
_MEASURE_EN: dict[s.MeasureKind, str] = {
    "count": "number of {list}", "distinct": "number of different {what} of {list}", "sum": "total {what} of {list}",
    "min": "smallest {what} of {list}", "max": "largest {what} of {list}", "avg": "average {what} of {list}",
    "latest": "{what} of the latest {list}", "earliest": "{what} of the earliest {list}",
    "recency": "days since the latest {list}", "since_first": "days since the first {list}",
}  # fmt: skip


def describe(node: s.Node, catalog: Catalog, language: Language = "zh") -> str:
    """The tree in plain words; it says everything that the expression says."""
    words = _Words(catalog, language)
    return words.node(node, catalog.attribute_index, top=True)


def describe_event(node: s.Did, catalog: Catalog, language: Language = "zh") -> str:
    """What is done, without whether and when: '购买（产品类型为理财）'. For goals, whose window is told apart."""
    words = _Words(catalog, language)
    return f"{catalog.event(node.event).words.name(language)}{words.where(node.where, node.event)}"


@dataclass(frozen=True)
class _Words:
    catalog: Catalog
    language: Language

    @property
    def zh(self) -> bool:
        return self.language == "zh"

    def pick(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def node(self, node: s.Node, fields: Fields, top: bool = False) -> str:
        match node:
            case s.Everyone():
                return self.pick("全部客户", "all customers")
            case s.And(children=children):
                text = self.pick("，且", ", and ").join(self.node(c, fields) for c in children)
                return text if top else f"{self.pick('（', '(')}{text}{self.pick('）', ')')}"
            case s.Or(children=children):
                text = self.pick("，或", ", or ").join(self.node(c, fields) for c in children)
                return text if top else f"{self.pick('（', '(')}{text}{self.pick('）', ')')}"
            case s.Not(child=s.Flag(name=name)):
                return self.negated(self.name(fields[name]))
            case s.Not(child=s.IsUnknown(name=name)):
                return f"{self.name(fields[name])}{self.pick('已知', ' is known')}"
            case s.Not(child=s.Did() as did):
                return f"{self.occurrence(did.event, did.where, did.window, negated=True)}"
            case s.Not(child=s.HasRow() as had):
                return self.rows(had.table, had.where, had.window, negated=True)
            case s.Not(child=child):
                return f"{self.pick('不满足：', 'not: ')}{self.node(child, fields)}"
            case s.Flag(name=name):
                return self.name(fields[name])
            case s.Compare(left=left, op=op, right=right):
                return self.compare(left, op, right, fields)
            case s.Between(value=value, low=low, high=high):
                field = self.field(value, fields)
                a, b = (self.operand(side, fields, field) for side in (low, high))
                name = self.operand(value, fields, None)
                return self.pick(f"{name}在{a}到{b}之间（含两端）", f"{name} from {a} to {b} (both included)")
            case s.In(name=name, values=values):
                field = fields[name]
                listed = self.pick("、", ", ").join(self.value(v, field) for v in values)
                return self.pick(f"{self.name(field)}属于{listed}", f"{self.name(field)} is one of {listed}")
            case s.Match(name=name, how=how, text=text):
                return f"{self.name(fields[name])} {self.pick(_MATCH_ZH[how], _MATCH_EN[how])} “{text}”"
            case s.During(name=name, window=window):
                name = self.name(fields[name])
                return self.pick(f"{name}在{self.window(window)}", f"{name} {self.window(window)}")
            case s.IsUnknown(name=name):
                return f"{self.name(fields[name])}{self.pick('未知', ' is unknown')}"
            case _:
                return self.customers(node)

    def customers(self, node: s.Node) -> str:
        match node:
            case s.Did(event=event, where=where, window=window):
                return self.occurrence(event, where, window)
            case s.HasRow(table=table, where=where, window=window):
                return self.rows(table, where, window)
            case s.Holds():
                return self.holds(node)
            case s.Sequence():
                return self.sequence(node)
            case s.InList(name=name):
                return self.pick(f"在名单“{name}”中", f"on the list “{name}”")
            case s.InSegment(id=id_):
                return self.pick(f"属于客群 {id_}", f"in segment {id_}")
            case s.Sample(percent=percent, key=key):
                return self.pick(f"固定抽样 {percent:g}%（键“{key}”）", f"a stable {percent:g} % sample (key “{key}”)")
            case s.Top(n=n, by=by, descending=descending):
                name = self.operand(by, self.catalog.attribute_index, None)
                if self.zh:
                    return f"按{name}排在{'前' if descending else '后'} {n:,} 名"
                return f"the {n:,} with the {'highest' if descending else 'lowest'} {name}"
            case _:
                raise AssertionError(node)

    def negated(self, name: str) -> str:
        """A flag that does not hold, as people say it: 没有信用卡, 未激活."""
        if not self.zh:
            return f"not “{name}”"
        if name.startswith("有"):
            return f"没{name}"
        if name.startswith("已"):
            return f"未{name[1:]}"
        return f"未{name}" if name.startswith(("开通", "绑定")) else f"不是“{name}”"

    def compare(self, left: s.Operand, op: s.Comparison, right: s.Operand, fields: Fields) -> str:
        field = self.field(left, fields) or self.field(right, fields)
        dated = field is not None and field.kind in (Kind.date, Kind.timestamp)
        signs = (_DATE_ZH if self.zh else _DATE_EN) if dated else (_COMPARE_ZH if self.zh else _COMPARE_EN)
        a, b = self.operand(left, fields, field), self.operand(right, fields, field)
        if self.zh and field is not None and field.kind in (Kind.category, Kind.text) and op in ("=", "!="):
            return f"{a}{'为' if op == '=' else '不为'}{b}"
        return f"{a}{signs[op]}{b}" if self.zh else f"{a} {signs[op]} {b}"

    def operand(self, operand: s.Operand, fields: Fields, field: Field | None) -> str:
        match operand:
            case s.Attr(name=name):
                return self.name(fields[name])
            case s.Const(value=value):
                return self.value(value, field)
            case s.Measure():
                return self.measure(operand)
            case s.Arithmetic(op=op, left=left, right=right):
                a, b = self.operand(left, fields, None), self.operand(right, fields, None)
                a, b = (f"({t})" if isinstance(o, s.Arithmetic) else t for t, o in ((a, left), (b, right)))
                return f"{a} {'×' if op == '*' else '÷' if op == '/' else op} {b}"

    def field(self, operand: s.Operand, fields: Fields) -> Field | None:
        """The field in whose form constants beside an operand are told."""
        if isinstance(operand, s.Attr):
            return fields[operand.name]
        if isinstance(operand, s.Measure) and operand.measure != "distinct" and operand.property:
            return self.listing(operand.of).fields[operand.property]
        return None

    def listing(self, name: str) -> Listing:
        return vocabulary(self.catalog).listings[name]

    def name(self, field: Field) -> str:
        return field.words.name(self.language)

    def value(self, value: s.Scalar, field: Field | None) -> str:
        if isinstance(value, bool):
            return self.pick("是" if value else "否", "yes" if value else "no")
        if isinstance(value, str):
            found = next((v for v in field.values if v.value == value), None) if field else None
            return found.name(self.language) if found else value
        unit = ""
        if isinstance(field, Attribute):
            unit = field.unit_zh if self.zh else field.unit_en
        elif field is not None and field.kind is Kind.money:
            unit = self.pick("元", "CNY")
        return f"{self.number(value)}{unit}" if self.zh else f"{self.number(value)}{f' {unit}' if unit else ''}"

    def number(self, value: float) -> str:
        if self.zh:
            for scale, word in ((10**8, "亿"), (10**4, "万")):
                if abs(value) >= scale and float(f"{value / scale:.4g}") * scale == value:
                    return f"{value / scale:.4g}{word}"
        return f"{value:,}" if isinstance(value, int) or not float(value).is_integer() else f"{int(value):,}"

    # Behaviour

    def occurrence(self, event: str, where: s.Node | None, window: s.Window | None, negated: bool = False) -> str:
        words = self.listing(event).words
        when = self.window(window)
        which = self.where(where, event)
        if self.zh:
            verb = "没有过" if negated else "有过"
            return f"{when or '历史上'}{verb}{words.zh}{which}"
        return f"{'no' if negated else 'at least one'} {words.en}{which} {when or 'ever'}"

    def rows(self, table: str, where: s.Node | None, window: s.Window | None, negated: bool = False) -> str:
        words, when, which = self.listing(table).words, self.window(window), self.where(where, table)
        if self.zh:
            return f"{when}{'没有' if negated else '有'}{words.zh}{which}"
        return f"{'no' if negated else 'at least one'} {words.en}{which}{f' {when}' if when else ''}"

    def where(self, where: s.Node | None, name: str) -> str:
        if where is None:
            return ""
        fields: Fields = self.listing(name).fields
        return self.pick(f"（{self.node(where, fields, top=True)}）", f" ({self.node(where, fields, top=True)})")

    def measure(self, node: s.Measure) -> str:
        listing = self.listing(node.of)
        which, words = self.where(node.where, node.of), listing.words
        ever = self.pick("历史上", "ever") if listing.entity is None else ""
        when = self.window(node.window) or ("" if node.measure in ("recency", "since_first") else ever)
        what = listing.fields[node.property].words if node.property else None
        if self.zh:
            pattern = "{list}的条数" if listing.entity and node.measure == "count" else _MEASURE_ZH[node.measure]
            figure = pattern.format(list=words.zh + which, what=what.zh if what else "")
            return f"{when}{figure}"
        figure = _MEASURE_EN[node.measure].format(list=words.en + which, what=what.en if what else "")
        return f"{figure}{f' {when}' if when else ''}"

    def holds(self, node: s.Holds) -> str:
        listing = vocabulary(self.catalog).holding
        fields: Fields = listing.fields if listing else {}
        kind = self.value(node.kind, fields.get("kind")) if node.kind else self.pick("产品", "a product")
        parts = [self.node(node.where, fields, top=True)] if node.where else []
        if node.matures_within_days is not None:
            n = node.matures_within_days
            parts.append(self.pick(f"{n}天内到期", f"maturing within {n} days"))
        inner = self.pick("，", ", ").join(parts)
        return f"{self.pick('持有', 'holds ')}{kind}{self.pick(f'（{inner}）', f' ({inner})') if inner else ''}"

    def sequence(self, node: s.Sequence) -> str:
        when, first = self.window(node.window), self.listing(node.event).words
        steps = "".join(self.step(step) for step in node.steps)
        if self.zh:
            return f"{when}{first.zh}{self.where(node.where, node.event)}{steps}"
        return f"{first.en}{self.where(node.where, node.event)}{steps}{f' ({when})' if when else ''}"

    def step(self, step: s.Step) -> str:
        words, which, gap = self.listing(step.event).words, self.where(step.where, step.event), self.span(step.gap)
        if self.zh:
            return f"之后{gap}内{'没有' if step.negated else '又'}{words.zh}{which}"
        return f" {'not ' if step.negated else ''}followed by {words.en}{which} within {gap}"

    def span(self, last: s.Last | s.Next) -> str:
        return self.length(last.amount, last.unit)

    def length(self, amount: int, unit: str) -> str:
        zh, en = _UNITS[unit]
        return self.pick(f"{amount}{zh}", f"{amount} {en}{'s' if amount > 1 else ''}")

    def window(self, window: s.Window | s.Next | None) -> str:
        match window:
            case None:
                return ""
            case s.Last():
                return self.pick(f"最近{self.span(window)}", f"in the last {self.span(window)}")
            case s.Next():
                return self.pick(f"未来{self.span(window)}", f"in the next {self.span(window)}")
            case s.Ago(start=start, end=end, unit=unit):
                a, b = self.length(start, unit), self.length(end, unit)
                return self.pick(f"{a}前至{b}前", f"from {a} to {b} ago")
            case s.Months(start=1, end=1):
                return self.pick("上个自然月", "in the last calendar month")
            case s.Months(start=start, end=1):
                return self.pick(f"最近{start}个自然月", f"in the last {start} calendar months")
            case s.Months(start=start, end=end):
                a, b = self.length(start, "month"), self.length(end, "month")
                one = start == end
                zh = f"倒数第{start}个自然月" if one else f"倒数第{start}至第{end}个自然月"
                return self.pick(
                    zh, f"in the calendar month {a} ago" if one else f"in the calendar months from {a} to {b} ago"
                )
            case s.Dates(start=first, end=last):
                return self.pick(f"{first}至{last}", f"from {first} to {last}")
            case s.Calendar(period=period):
                return self.pick(_PERIOD_ZH[period], period.replace("_", " "))
            case s.SinceEntry():
                return self.pick("进入流程后", "since entry")
