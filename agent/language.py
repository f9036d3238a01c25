"""Which language a request is in, so that the answer comes in the same one."""

from warehouse.catalog import Language


def detect(text: str, default: Language = "zh") -> Language:
    """Chinese if any Han character stands in it, else English if any letter does, else the thread's language.

    Mixed requests ('AUM大于20w的payroll') are answered in Chinese: English abbreviations are part of a Chinese
    operator's trade language, the reverse is rare.
    """
    if any("\u4e00" <= character <= "\u9fff" for character in text):
        return "zh"
    if any(character.isascii() and character.isalpha() for character in text):
        return "en"
    return default
