"""A segment in plain Chinese or English, so that operators can read back what was understood."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.segment import schema as s
from tools.segment.vocabulary import Field, vocabulary
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
            case s.IsUnknown(name=name):
                return f"{self.name(fields[name])}{self.pick('未知', ' is unknown')}"
            case _:
                return self.customers(node)

    def customers(self, node: s.Node) -> str:
        match node:
            case s.Did(event=event, where=where, window=window):
                return self.occurrence(event, where, window)
            case s.EventMeasure():
                return self.measure(node)
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
                name = self.name(self.catalog.attribute(by))
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
            case s.Arithmetic(op=op, left=left, right=right):
                a, b = self.operand(left, fields, None), self.operand(right, fields, None)
                a, b = (f"({t})" if isinstance(o, s.Arithmetic) else t for t, o in ((a, left), (b, right)))
                return f"{a} {'×' if op == '*' else '÷' if op == '/' else op} {b}"
            case _:
                raise AssertionError(operand)

    def field(self, operand: s.Operand, fields: Fields) -> Field | None:
        return fields[operand.name] if isinstance(operand, s.Attr) else None

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
        words = self.catalog.event(event).words
        when = self.window(window)
        which = self.where(where, event)
        if self.zh:
            verb = "没有过" if negated else "有过"
            return f"{when or '历史上'}{verb}{words.zh}{which}"
        return f"{'no' if negated else 'at least one'} {words.en}{which} {when or 'ever'}"

    def where(self, where: s.Node | None, event: str) -> str:
        if where is None:
            return ""
        fields: Fields = {p.name: p for p in self.catalog.event(event).properties}
        return self.pick(f"（{self.node(where, fields, top=True)}）", f" ({self.node(where, fields, top=True)})")

    def measure(self, node: s.EventMeasure) -> str:
        event = self.catalog.event(node.event)
        when, which = self.window(node.window), self.where(node.where, node.event)
        sign = (_COMPARE_ZH if self.zh else _COMPARE_EN)[node.op]
        number = self.number(int(node.value) if float(node.value).is_integer() else node.value)
        if node.measure == "count":
            return self.pick(
                f"{when or '历史上'}{event.words.zh}{which}的次数{sign}{number}",
                f"number of {event.words.en}{which} {when or 'ever'} {sign} {number}",
            )
        if node.measure == "recency":
            return self.pick(
                f"{when}最近一次{event.words.zh}{which}距今{sign}{number}天",
                f"days since the latest {event.words.en}{which}{f' {when}' if when else ''} {sign} {number}",
            )
        prop = next(p for p in event.properties if p.name == node.property)
        return self.pick(
            f"{when or '历史上'}{event.words.zh}{which}的{prop.words.zh}合计{sign}{number}",
            f"total {prop.words.en} of {event.words.en}{which} {when or 'ever'} {sign} {number}",
        )

    def holds(self, node: s.Holds) -> str:
        fields: Fields = dict(vocabulary(self.catalog).holding_fields)
        kind = self.value(node.kind, fields.get("kind")) if node.kind else self.pick("产品", "a product")
        parts = [self.node(node.where, fields, top=True)] if node.where else []
        if node.matures_within_days is not None:
            n = node.matures_within_days
            parts.append(self.pick(f"{n}天内到期", f"maturing within {n} days"))
        inner = self.pick("，", ", ").join(parts)
        return f"{self.pick('持有', 'holds ')}{kind}{self.pick(f'（{inner}）', f' ({inner})') if inner else ''}"

    def sequence(self, node: s.Sequence) -> str:
        one, two = self.catalog.event(node.first).words, self.catalog.event(node.second).words
        a, b = self.where(node.first_where, node.first), self.where(node.second_where, node.second)
        when, gap = self.window(node.window), self.span(node.gap)
        if self.zh:
            then = f"之后{gap}内{'没有' if node.negated else '又'}"
            return f"{when}{one.zh}{a}{then}{two.zh}{b}"
        then = f"{'not ' if node.negated else ''}followed by"
        return f"{one.en}{a} {then} {two.en}{b} within {gap}{f' ({when})' if when else ''}"

    def span(self, last: s.Last) -> str:
        if self.zh:
            return f"{last.amount}{'小时' if last.unit == 'h' else '天'}"
        unit = "hour" if last.unit == "h" else "day"
        return f"{last.amount} {unit}{'s' if last.amount > 1 else ''}"

    def window(self, window: s.Window | None) -> str:
        match window:
            case None:
                return ""
            case s.Last():
                return self.pick(f"最近{self.span(window)}", f"in the last {self.span(window)}")
            case s.Dates(start=start, end=end):
                return self.pick(f"{start}至{end}", f"from {start} to {end}")
            case s.Calendar(period=period):
                return self.pick(_PERIOD_ZH[period], period.replace("_", " "))
            case _:
                return self.pick("进入流程后", "since entry")
