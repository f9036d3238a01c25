"""What the parts of `Records` share: the database, the clock, and how ids are read."""

import re
from datetime import datetime

from control.records.database import Database
from warehouse.clock import Clock
from warehouse.errors import NotFound

KINDS = {"seg": "segment", "cv": "canvas", "prop": "proposal", "ev": "evidence record", "tag": "tag"}


class Store:
    """Base of the parts of `Records`."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.database = Database(url)
        self.clock = clock

    def close(self) -> None:
        self.database.close()

    def now(self) -> datetime:
        return self.clock.now()


def number(prefix: str, id_: str) -> int:
    """The number in an id such as `seg_12`.

    Raises:
        NotFound: the text is no id of that kind.
    """
    match = re.fullmatch(rf"{prefix}_([1-9]\d{{0,17}})", id_.strip())
    if match is None:
        raise NotFound(f"{id_!r} is not the id of a {KINDS[prefix]}.", f"Such ids look like {prefix}_12.")
    return int(match[1])
