"""The throttle's rules and steps in the words of both languages."""

from warehouse.catalog import Language

RULES: dict[str, tuple[str, str]] = {
    "allowed": ("可以触达", "may be touched"),
    "duplicate_person": (
        "同一个人的另一个客户号已在触达名单中",
        "another customer number of the same person is touched",
    ),
    "unknown_customer": ("查无此客户", "no such customer"),
    "staff": ("本行员工不做营销触达", "members of staff get no marketing"),
    "under_age": ("未成年", "under age"),
    "unknown_product": ("产品不存在", "the product does not exist"),
    "product_unrated": ("产品没有风险等级", "the product has no risk level"),
    "risk_never_assessed": ("从未做过风险测评", "never assessed for risk"),
    "risk_assessment_expired": ("风险测评已过期", "the risk assessment has expired"),
    "risk_too_high": ("产品风险高于客户的测评等级", "the product's risk is above the customer's level"),
    "no_consent": ("该渠道没有同意记录", "no consent for this channel"),
    "consent_lapsed": ("同意已过有效期", "the consent has lapsed"),
    "deferral_expired": ("延期等待过久", "waited too long since it was deferred"),
    "not_contactable": ("该渠道联系不上", "cannot be reached on this channel"),
    "max_touches": ("已到活动触达上限", "the campaign's maximum of touches is reached"),
    "hold_out": ("随机留出作对照", "held out at random as control"),
    "held_out": ("随机留出作对照", "held out at random as control"),
    "suppressed_refused": ("客户已拒绝营销", "refused marketing"),
    "suppressed_complaint_open": ("有未结投诉", "has an open complaint"),
    "suppressed_deceased": ("已故", "deceased"),
    "suppressed_frozen": ("账户冻结", "account frozen"),
    "suppressed_fraud": ("涉诈名单", "on the fraud list"),
    "suppressed_overdue": ("贷款逾期", "loan overdue"),
    "suppressed_minor": ("未成年", "a minor"),
    "suppressed_staff": ("本行员工", "a member of staff"),
}
STEPS: dict[str, tuple[str, str]] = {
    "matched": ("符合条件", "matched"),
    "one_per_person": ("一人一号", "one per person"),
    "not_suppressed": ("不在禁止名单", "not suppressed"),
    "suitable": ("适当性匹配", "suitable"),
    "consented_and_contactable": ("已同意且可联系", "consented and contactable"),
    "not_capped": ("未超频", "not capped"),
    "not_held_out": ("未被留出", "not held out"),
}


def rule_words(rule: str, language: Language) -> str:
    """What a rule means; a cap and quiet hours by their name in the policy."""
    side = 0 if language == "zh" else 1
    if rule in RULES:
        return RULES[rule][side]
    expired = rule.endswith("_expired")
    name = rule.removesuffix("_expired")
    tail = ("，延期已过期", ", and waiting took too long")[side] if expired else ""
    if name.startswith("cap_"):
        return (f"超过频次上限 {name[4:]}", f"over the cap {name[4:]}")[side] + tail
    if name.startswith("promised_"):
        return (f"超过授权时承诺的频次 {name[9:]}", f"over the frequency promised in the consent {name[9:]}")[side]
    if name.startswith("capacity_"):
        return (f"渠道容量已满 {name[9:]}", f"the channel's capacity is used up {name[9:]}")[side] + tail
    if name.startswith("quiet_"):
        return (f"勿扰时段 {name[6:]}", f"quiet hours {name[6:]}")[side] + tail
    return rule


def step_words(step: str, language: Language) -> str:
    return STEPS[step][0 if language == "zh" else 1]
