"""What the server's codes are called: statuses, channels, steps, rules, roles and the like, Chinese and English."""

import re
from typing import Literal

from ui.words import Language

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]
Pair = tuple[str, str]
CHINESE = re.compile("[\u4e00-\u9fff]")

STATUS: dict[str, tuple[str, str, Colour]] = {
    "pending": ("待审批", "pending", "orange"),
    "approved": ("已批准", "approved", "green"),
    "releasing": ("放行中", "being released", "blue"),
    "released": ("已放行", "released", "green"),
    "rejected": ("已驳回", "rejected", "red"),
    "returned": ("已退回", "returned", "orange"),
    "expired": ("已过期", "expired", "gray"),
    "revoked": ("已撤销", "revoked", "red"),
    "voided": ("已作废", "voided", "gray"),
    "withdrawn": ("已撤回", "withdrawn", "gray"),
    "blocked": ("无适用规则", "no rule matches", "red"),
}

TOOL: dict[str, Pair] = {
    "search_playbooks": ("查剧本库", "Looking for playbooks"),
    "describe_data": ("查数据目录", "Reading the catalog"),
    "query_segment": ("查询客群", "Counting the segment"),
    "query_metric": ("计算指标", "Computing the metric"),
    "draft_canvas": ("拟画布", "Drafting the canvas"),
    "edit_canvas": ("改画布", "Editing the canvas"),
    "dry_run_canvas": ("历史试跑", "Dry-running on history"),
    "check_throttle": ("查频控", "Checking the throttle"),
    "analyze_campaign": ("分析活动", "Analysing the campaign"),
    "compare_campaigns": ("比较活动", "Comparing campaigns"),
    "submit_for_approval": ("提交审批", "Submitting for approval"),
    "get_status": ("查进度", "Looking up the status"),
    "undo": ("撤回上一步", "Undoing"),
}

LINEAGE: dict[str, Pair] = {
    "attribute": ("属性", "attribute"),
    "event": ("行为", "event"),
    "detail": ("明细表", "detail table"),
    "list": ("名单", "list"),
    "segment": ("客群", "segment"),
    "tag": ("标签", "tag"),
    "canvas": ("画布", "canvas"),
    "proposal": ("方案", "proposal"),
}
OWN_NAMES = ("segment", "canvas", "proposal")
"""Kinds of things whose names people gave, in whatever language."""

AGED: dict[str, Pair] = {"data": ("数据", "data"), "list": ("名单", "list"), "tag": ("标签", "tag")}

TAG_STATE: dict[str, Pair] = {
    "fresh": ("最新", "fresh"),
    "stale": ("未按时重算", "overdue"),
    "failed": ("重算失败", "failed"),
    "expiring": ("即将过期", "expiring"),
    "expired": ("已过期", "expired"),
}

EVERY: dict[str, Pair] = {"daily": ("每天", "daily"), "weekly": ("每周", "weekly")}

WEEKDAY: dict[str, Pair] = {
    "0": ("周一", "Monday"),
    "1": ("周二", "Tuesday"),
    "2": ("周三", "Wednesday"),
    "3": ("周四", "Thursday"),
    "4": ("周五", "Friday"),
    "5": ("周六", "Saturday"),
    "6": ("周日", "Sunday"),
}

NAMED: dict[str, Pair] = {
    "customer_id": ("客户号", "customer number"),
    "phone": ("手机号", "phone"),
    "id_card": ("身份证号", "identity card"),
    "account": ("账号", "account"),
    "wecom": ("企业微信", "WeCom"),
    "device": ("设备号", "device"),
}

MATCH: dict[str, Pair] = {
    "unique": ("唯一匹配", "one customer"),
    "several": ("匹配多个", "several customers"),
    "unknown": ("未匹配", "nobody"),
    "duplicates": ("重复", "repeated"),
    "malformed": ("格式不对", "malformed"),
    "blank": ("空", "blank"),
}

CHANNEL: dict[str, Pair] = {
    "sms": ("短信", "SMS"),
    "push": ("App 推送", "App push"),
    "inapp": ("站内消息", "In-app message"),
    "wecom": ("企业微信", "WeCom"),
    "email": ("邮件", "Email"),
    "call": ("外呼", "Phone call"),
    "task": ("客户经理任务", "Manager task"),
}

STEP: dict[str, Pair] = {
    "matched": ("符合条件", "matched"),
    "one_per_person": ("一人一号", "one per person"),
    "not_suppressed": ("不在禁止名单", "not suppressed"),
    "suitable": ("适当性匹配", "suitable"),
    "consented_and_contactable": ("已同意且可联系", "consented, contactable"),
    "not_capped": ("未超频", "not capped"),
    "not_held_out": ("未被留出", "not held out"),
}

REASON: dict[str, Pair] = {
    "refused": ("拒绝营销", "refused marketing"),
    "complaint_open": ("投诉未结", "open complaint"),
    "deceased": ("已故", "deceased"),
    "frozen": ("账户冻结", "account frozen"),
    "fraud": ("涉诈", "fraud list"),
    "overdue": ("贷款逾期", "loan overdue"),
    "minor": ("未成年", "minor"),
    "staff": ("本行员工", "staff"),
}
"""Why somebody stands on a suppression list."""

RULE: dict[str, Pair] = {
    "duplicate_person": ("同一人的另一客户号", "same person, other number"),
    "unknown_customer": ("查无此客户", "no such customer"),
    "staff": ("本行员工", "staff"),
    "under_age": ("未成年", "under age"),
    "unknown_product": ("产品不存在", "no such product"),
    "product_unrated": ("产品未评级", "product not rated"),
    "risk_never_assessed": ("从未风评", "never assessed"),
    "risk_assessment_expired": ("风评过期", "assessment expired"),
    "risk_too_high": ("产品风险过高", "product risk too high"),
    "no_consent": ("该渠道未同意", "no consent for the channel"),
    "consent_lapsed": ("同意已失效", "consent lapsed"),
    "deferral_expired": ("延期已过期", "deferral expired"),
    "not_contactable": ("该渠道联系不上", "not contactable"),
    "max_touches": ("已到触达上限", "maximum of touches"),
    "held_out": ("留出作对照", "held out"),
    "hold_out": ("留出作对照", "held out"),
}

LIMIT: dict[str, Pair] = {
    "channel_daily": ("每渠道每天", "per channel and day"),
    "global_7d": ("全渠道 7 天", "all channels, 7 days"),
    "global_monthly": ("全渠道每月", "all channels, month"),
    "messages_night": ("消息夜间勿扰", "messages at night"),
    "push_night": ("推送夜间勿扰", "pushes at night"),
    "call_night": ("外呼夜间勿扰", "calls at night"),
    "call_lunch": ("外呼午间勿扰", "calls at lunch"),
    "call_holiday": ("外呼假日勿扰", "calls on days off"),
}
"""Caps and quiet hours of the standard policy; a bank's own keep their own names."""

ROLE: dict[str, Pair] = {
    "operator": ("运营", "operator"),
    "manager": ("管理者", "manager"),
    "approver": ("审批人", "approver"),
    "compliance": ("合规", "compliance"),
    "admin": ("管理员", "administrator"),
}

DECISION: dict[str, Pair] = {
    "approve": ("批准", "approved"),
    "reject": ("驳回", "rejected"),
    "return": ("退回修改", "returned for changes"),
    "submitted": ("提交", "submitted"),
}

LEVEL: dict[str, Pair] = {
    "approval": ("审批", "approval"),
    "second approval": ("复审", "second approval"),
    "done": ("已签完", "complete"),
    "open": ("待签", "open"),
    "waiting": ("等待上一级", "waits for the level before"),
    "any_of": ("任一人签", "any one of"),
    "all_of": ("全部会签", "all of"),
}

RELEASE_STEP: dict[str, Pair] = {
    "whitelist": ("白名单", "whitelist"),
    "small": ("小流量", "small traffic"),
    "full": ("全量", "full"),
}

COUNT: dict[str, Pair] = {
    "entered": ("进入", "entered"),
    "held_out": ("留出", "held out"),
    "send": ("发送", "sent"),
    "sent": ("发送", "sent"),
    "handed_over": ("交给渠道", "handed to the channel"),
    "defer": ("延期", "deferred"),
    "deferred": ("延期", "deferred"),
    "abandon": ("放弃", "abandoned"),
    "abandoned": ("放弃", "abandoned"),
    "hold_out": ("留出", "held out"),
    "capped": ("超频", "capped"),
    "failed": ("失败", "failed"),
}

SOURCE: dict[str, Pair] = {
    "account_opening": ("开户时签署", "at account opening"),
    "app": ("手机银行", "in the app"),
    "branch": ("网点", "at a branch"),
    "wecom": ("企业微信", "in WeCom"),
    "hotline": ("客服热线", "by the hotline"),
}
"""Where a consent was given."""

ARM: dict[str, Pair] = {
    "control": ("对照组", "control"),
    "treatment": ("活动组", "treatment"),
    "held_out": ("留出组", "held out"),
}

VALUE_KIND: dict[str, Pair] = {
    "bool": ("是/否", "yes or no"),
    "integer": ("整数", "whole number"),
    "money": ("金额", "amount"),
    "decimal": ("小数", "decimal"),
    "category": ("分类", "category"),
    "date": ("日期", "date"),
    "timestamp": ("时间", "time"),
    "text": ("文本", "text"),
    "count": ("计数", "count"),
    "share": ("占比", "share"),
    "sum": ("合计", "sum"),
    "mean": ("均值", "mean"),
    "attribute": ("属性", "attribute"),
    "event": ("事件", "event"),
    "metric": ("指标", "metric"),
    "term": ("用语", "term"),
}

PRODUCT: dict[str, Pair] = {
    "deposit": ("存款", "deposits"),
    "wealth": ("理财", "wealth products"),
    "fund": ("基金", "funds"),
    "insurance": ("保险", "insurance"),
    "gold": ("黄金", "gold"),
    "loan": ("贷款", "loans"),
    "credit_card": ("信用卡", "credit cards"),
}

CATEGORY: dict[str, Pair] = {"marketing": ("营销", "marketing"), "service": ("服务通知", "service")}

PERIOD: dict[str, Pair] = {
    "day": ("自然日", "calendar day"),
    "week": ("自然周", "calendar week"),
    "month": ("自然月", "calendar month"),
    "hour": ("自然小时", "calendar hour"),
    "quarter": ("自然季度", "calendar quarter"),
    "year": ("自然年", "calendar year"),
}

DAYS: dict[str, Pair] = {
    "every_day": ("每天", "every day"),
    "working_days": ("工作日", "working days"),
    "non_working_days": ("非工作日", "days off"),
    "public_holidays": ("法定节假日", "public holidays"),
    "dates": ("指定日期", "named dates"),
}

DIRECTION: dict[str, Pair] = {
    "tighter": ("变严", "tighter"),
    "looser": ("变松", "looser"),
    "other": ("改变", "changed"),
}

NO_EFFECT: dict[str, Pair] = {
    "no_control": ("没有对照组", "There is no control group"),
    "too_few": ("样本太少，不做推断", "Too few customers to infer anything"),
    "no_variation": ("结果没有变化，无法推断", "The outcome does not vary"),
}

PROBLEM: dict[str, Pair] = {
    "away": ("服务器没有响应", "The server does not answer"),
    "bad_input": ("这里填得不对", "Something in this does not fit"),
    "not_found": ("没有找到", "Not found"),
    "person_decides": ("需要有人先决定", "Somebody has to decide first"),
    "forbidden": ("您没有这项权限", "You may not do this"),
    "sign_in_needed": ("请重新登录", "Please sign in again"),
    "configuration": ("需要管理员处理", "An administrator has to mend this"),
    "home_busy": ("系统正忙", "The home is busy"),
    "timeout": ("查询超时", "It took too long"),
    "too_large": ("内容太大", "It is too large"),
    "internal": ("系统内部错误", "Something broke inside"),
}

_WHY_NOT: list[tuple[str, str]] = [
    (r"You submitted it; .*", "您是提交人，须由他人签署"),
    (r"You drafted or edited it; .*", "您起草或改过它，须由他人签署"),
    (r"You have signed it already; .*", "您已签过，每个签名须来自不同的人"),
    (r"You are not asked at any level.*", "审批层级中没有需要您签署的一级"),
    (r"It has all its signatures\.", "签名已齐"),
    (r"No approval policy matches it; .*", "没有适用的审批规则，须由管理员增加规则"),
    (r"The level '(?P<level>.+)' needs (?P<needs>.+)\.", "“{level}”一级需要{needs}"),
    (r"It is (?P<status>\w+)\.", "它的状态是“{status}”"),
    (r"Sign in to decide\.", "请先登录"),
]


def name(table: dict[str, Pair], code: str, language: Language) -> str:
    """What a code is called; the code itself where the table does not know it."""
    zh, en = table.get(code, (code, code))
    return zh if language == "zh" else en


def status(code: str, language: Language) -> str:
    zh, en, _ = STATUS.get(code, (code, code, "gray"))
    return zh if language == "zh" else en


def colour(code: str) -> Colour:
    return STATUS[code][2] if code in STATUS else "gray"


def rule(code: str, language: Language) -> str:
    """A rule of the throttle in words."""
    if code.startswith("suppressed_"):
        return name(REASON, code.removeprefix("suppressed_"), language)
    late = code.endswith("_expired") and code not in RULE
    plain = code.removesuffix("_expired") if late else code
    tail = (("，等待已过期", ", waited too long")[language == "en"]) if late else ""
    for prefix, zh, en in (
        ("cap_", "超过上限：", "over the cap: "),
        ("promised_", "超过承诺频率：", "over the promised frequency: "),
        ("capacity_", "渠道容量已满：", "no capacity left: "),
        ("quiet_", "勿扰：", "quiet hours: "),
    ):
        if plain.startswith(prefix):
            return (zh if language == "zh" else en) + name(LIMIT, plain.removeprefix(prefix), language) + tail
    return name(RULE, plain, language) + tail


def rules(counts: dict[str, int], language: Language) -> str:
    """Rules with their counts, the largest first, in one line."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ("、" if language == "zh" else ", ").join(f"{rule(code, language)} {count:,}" for code, count in ordered)


def needs(text: str, language: Language) -> str:
    """Who must sign, as the server lists it: 'role approver', 'person li'."""
    said = []
    for part in text.split(" or "):
        kind, _, who = part.partition(" ")
        said.append(name(ROLE, who, language) if kind == "role" else who or kind)
    return ("或" if language == "zh" else " or ").join(said)


def consent_source(text: str, language: Language) -> str:
    """'sms: app v2' in words."""
    channel, _, rest = text.partition(": ")
    source, _, version = rest.partition(" ")
    return f"{name(CHANNEL, channel, language)} · {name(SOURCE, source, language)} {version}".strip()


def why_not(text: str, language: Language) -> str:
    """Why one may not decide. The server says it in English; anything unforeseen stays as the server said it."""
    if language == "en":
        return text.rstrip(".")
    for pattern, zh in _WHY_NOT:
        if found := re.fullmatch(pattern, text):
            parts = found.groupdict()
            if "status" in parts:
                parts["status"] = status(parts["status"], language)
            if "level" in parts:
                parts["level"], parts["needs"] = (
                    name(LEVEL, parts["level"], language),
                    needs(parts["needs"], language),
                )
            return zh.format(**parts)
    return text


def arm(code: str, language: Language) -> str:
    """An arm by its name; one that is called after its channels ('sms_wecom') by theirs."""
    if code in ARM:
        return name(ARM, code, language)
    parts = code.split("_")
    return " + ".join(name(CHANNEL, part, language) for part in parts) if set(parts) <= set(CHANNEL) else code


def one_side(text: str, language: Language) -> str:
    """One language's half of a text that the data carries as '中文 / English'."""
    left, slash, right = text.partition("/ ")
    if not slash or not CHINESE.search(left) or CHINESE.search(right):
        return text
    return (left if language == "zh" else right).strip()
