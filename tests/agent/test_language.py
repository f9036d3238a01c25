import pytest

from agent.language import detect


@pytest.mark.parametrize(
    ("text", "expected"),
    [("代发客户有多少", "zh"), ("how many", "en"), ("AUM大于20w的payroll", "zh"), ("15%?", "en"), ("123", "en")],
)
def test_language(text: str, expected: str) -> None:
    assert detect(text, "en") == expected


def test_digits_alone_keep_the_language_of_the_thread() -> None:
    assert detect("123", "zh") == "zh"
