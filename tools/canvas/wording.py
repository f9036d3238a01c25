"""Texts of messages: placeholders, polite defaults per channel, and the complete message with sender and way to refuse."""

import re

from warehouse.catalog import Language

PLACEHOLDERS: dict[str, int] = {"name": 4, "bank": 8, "product": 14, "manager": 4, "city": 4}
"""What a text may leave open, with the length, in characters, that the check of SMS lengths assumes for it. `delivery`
fills `name` from the contact vault at the last moment; the others come from the warehouse and the canvas."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CJK = re.compile(r"[\u3400-\u9fff]")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
SMS_LIMIT = 500
"""Longest SMS, in characters, that gateways take as one message of several parts."""

DEFAULTS: dict[str, tuple[str, str]] = {
    "sms": (
        "{name}您好，我行为您准备了一项专属服务，可登录手机银行查看详情，如有疑问欢迎咨询网点或客服。",
        "Dear {name}, we have prepared a service for you. Please see the mobile bank for details, or ask us any time.",
    ),
    "push": (
        "{name}您好，您有一项专属服务待查看，点击了解详情。",
        "{name}, a service is waiting for you. Tap to see the details.",
    ),
    "inapp": (
        "{name}您好，为您准备的专属服务已上线，欢迎查看。",
        "{name}, a service prepared for you is available. Have a look.",
    ),
    "wecom": (
        "{name}您好，我是您的客户经理。我行有一项服务可能适合您，方便时欢迎回复我，我为您详细介绍。",
        "Hello {name}, this is your relationship manager. One of our services may suit you; reply when it is convenient "
        "and I will explain it.",
    ),
    "email": (
        "{name}您好：\n\n我行为您准备了一项专属服务，详情请登录手机银行或联系您所在网点。\n\n感谢您的信任。",
        "Dear {name},\n\nwe have prepared a service for you. Please see the mobile bank for details, or contact your "
        "branch.\n\nThank you for your trust.",
    ),
    "call": (
        "您好，请问是{name}吗？我是{bank}的客服人员，想占用您一分钟介绍一项服务，您现在方便吗？",
        "Good day, am I speaking with {name}? I am calling from {bank} about a service. Do you have a minute?",
    ),
    "task": (
        "请联系客户{name}：了解近况与需求，介绍本次活动服务；客户不便或拒绝时请如实记录，不再跟进。",
        "Please contact {name}: ask how they are and what they need, and introduce this service. If they decline, record "
        "it and do not follow up.",
    ),
}  # fmt: skip
"""Channel → text in Chinese and English for waves that come without one: polite, general, without any promise."""

PRODUCT_LINE = (
    "本次可了解的产品：{product}。产品有风险，过往业绩不代表未来表现，请在评估自身风险承受能力后谨慎决定。",
    "The product is {product}. It carries risk and past performance says nothing about the future; please decide with your "
    "own risk assessment in mind.",
)
OPT_OUT: dict[str, tuple[str, str]] = {
    "sms": ("拒收请回复R", "Reply R to opt out"),
    "email": ("如不希望再收到此类邮件，请点击退订。", "To stop receiving such e-mails, use the unsubscribe link."),
    "wecom": ("如不希望再收到此类消息，请回复“退订”。", "Reply STOP if you do not want such messages."),
}


def language_of(text: str) -> Language:
    """The language a text is written in, by its characters."""
    return "zh" if _CJK.search(text) else "en"


def default_text(channel: str, language: Language, *, with_product: bool = False) -> str:
    side = 0 if language == "zh" else 1
    text = DEFAULTS[channel][side]
    if not with_product:
        return text
    return text + ("" if language == "zh" else " ") + PRODUCT_LINE[side]


def open_placeholders(text: str) -> list[str]:
    """The names between braces, in order."""
    return _PLACEHOLDER.findall(text)


def complete(text: str, channel: str, signature: str) -> str:
    """The message as it goes out, placeholders still open: sender first, the way to refuse last.

    Args:
        signature: how the sender is named (the canvas's, else the bank's name).
    """
    language = language_of(text)
    out = OPT_OUT.get(channel, ("", ""))[0 if language == "zh" else 1]
    if channel == "sms":
        return f"【{signature}】{text}{'' if language == 'zh' else ' '}{out}"
    if channel in ("email", "wecom"):
        return f"{text}\n\n{signature}\n{out}"
    return text


def length(text: str) -> int:
    """Characters of a text once its placeholders are filled with values of usual length."""
    return len(_PLACEHOLDER.sub(lambda match: "x" * PLACEHOLDERS.get(match.group(1), 8), text))


def sms_parts(text: str) -> int:
    """How many parts an SMS is billed as, its placeholders filled with values of usual length.

    GSM 03.38: 160 septets in one message, 153 in each of several; `^{}\\[~]|€` take two. One character outside it makes the
    message UCS-2: 70 code units, 67 in each of several; characters beyond the BMP (emoji) take two. Placeholders are filled
    with Chinese names, so a text that has one is UCS-2.
    """
    bare = _PLACEHOLDER.sub("", text)
    if bare == text and all(c in _GSM or c in _GSM_EXTENDED for c in text):
        return _parts([1 + (c in _GSM_EXTENDED) for c in text], 160, 153)
    filled = sum(PLACEHOLDERS.get(name, 8) for name in open_placeholders(text))
    return _parts([*(1 + (ord(c) > 0xFFFF) for c in bare), *[1] * filled], 70, 67)


def _parts(widths: list[int], single: int, several: int) -> int:
    """Parts of characters of these widths; no character is torn apart between two parts."""
    if sum(widths) <= single:
        return 1
    parts, room = 1, several
    for width in widths:
        if width > room:
            parts, room = parts + 1, several
        room -= width
    return parts
