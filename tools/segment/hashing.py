"""Who falls into a share: by the first 8 hex digits of md5('{key}:{customer_id}'), the same in SQL and in Python."""

import hashlib
from decimal import Decimal
from math import ceil

SPACE = 2**32


def bucket(key: str, customer_id: int) -> int:
    """A customer's place in 0..2^32-1 for a key."""
    return int(hashlib.md5(f"{key}:{customer_id}".encode()).hexdigest()[:8], 16)


def threshold(percent: float) -> int:
    """Buckets below this belong to the first `percent` of the space; 2^32 means all."""
    return ceil(Decimal(str(percent)) / 100 * SPACE)


def threshold_hex(percent: float) -> str | None:
    """The threshold as 8 hex digits, which compare as texts as their numbers do; None means all."""
    limit = threshold(percent)
    return None if limit >= SPACE else f"{limit:08x}"
