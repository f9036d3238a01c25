"""YAML files of a home: words stay words and times of day stay times."""

from datetime import date

import pytest

from warehouse import plain_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: dates", {"on": "dates"}),
        ("a: no", {"a": "no"}),
        ("a: [true, False]", {"a": [True, False]}),
        ("start: 20:00", {"start": "20:00"}),
        ("end: 09:00:30", {"end": "09:00:30"}),
        ("a: [0, -1, 5_000, 007, 1.5, 1e3]", {"a": [0, -1, 5000, "007", 1.5, "1e3"]}),
        ("a: 2026-11-18", {"a": date(2026, 11, 18)}),
        ("a: ", {"a": None}),
        ("", None),
    ],
)
def test_what_a_text_means(text: str, value: object) -> None:
    assert plain_yaml.load(text) == value
