"""How many examples a property test draws: a fifth on a developer's machine, all of them in CI."""

import os


def examples(n: int) -> int:
    """`n` where TOUCHLINE_THOROUGH is set (.ci/run runs tests marked `property` so), else a fifth of it, at least five."""
    return n if os.environ.get("TOUCHLINE_THOROUGH") else max(5, n // 5)
