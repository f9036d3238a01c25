"""The offline model on the canonical catalog, at a fixed instant, with a few past campaigns."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.models.base import Focus, Step, Turn
from agent.models.offline import OfflineModel
from tools.base import CanvasRef, SegmentRef
from warehouse.catalog import Catalog
from warehouse.clock import BANK_ZONE

NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)  # a Wednesday, 09:00 in the bank's zone
CATALOG = Path(__file__).parents[3] / "warehouse" / "canonical_catalog.yaml"
CAMPAIGNS = [
    ("c_payday", "9月发薪日理财活动", datetime(2026, 9, 10, tzinfo=UTC)),
    ("c_first", "首购礼", datetime(2026, 11, 1, tzinfo=UTC)),
    ("c_dormant", "Dormant win-back", datetime(2026, 10, 5, tzinfo=UTC)),
    ("c_maturity", "到期承接", datetime(2026, 8, 3, tzinfo=UTC)),
]
EXAMPLES = [("payday", "给代发客户做个发薪日活动"), ("payday", "Draft a payday campaign for payroll customers")]
CANVAS = """
nodes:
- {id: entry, kind: entry}
- {id: w1, kind: touch, channel: push}
- {id: d2, kind: delay, days: 3}
- {id: w2, kind: touch, channel: sms}
- {id: d3, kind: delay, days: 3}
- {id: w3, kind: touch, channel: call}
"""

Say = Callable[..., Step]


def turn(text: str, segment: str = "", canvas: bool = False, campaign: str = "", **more: Any) -> Turn:
    focus = Focus(
        segment=SegmentRef(id="seg_1", expression=segment, count=10) if segment else None,
        canvas=CanvasRef(id="cv_1", version=1) if canvas else None,
        canvas_text=CANVAS if canvas else "",
        campaign=campaign,
    )
    language = "zh" if any("㐀" <= c <= "鿿" for c in text) else "en"
    return Turn(text=text, language=language, now=NOW, as_of=NOW, focus=focus, **more)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(CATALOG)


@pytest.fixture(scope="session")
def model(catalog: Catalog) -> OfflineModel:
    return OfflineModel(catalog, EXAMPLES, lambda: CAMPAIGNS, BANK_ZONE)


@pytest.fixture(scope="session")
def say(model: OfflineModel) -> Say:
    """Say something; keyword arguments set the focus."""

    def run(text: str, **more: Any) -> Step:
        return model.next(turn(text, **more))

    return run
