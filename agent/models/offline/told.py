"""What a text says of a campaign: the parts that its readers fill in."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Wave:
    channel: str
    day: int = 0
    hour: int | None = None
    only_if: str = ""
    text: str = ""
    arms: list[dict[str, object]] = field(default_factory=list)

    def arguments(self, first: bool) -> dict[str, object]:
        found: dict[str, object] = {"channel": self.channel, "day": self.day}
        if self.hour is not None:
            found["hour"] = self.hour
        found["only_if"] = self.only_if or ("all" if first else "goal_not_reached")
        if self.text:
            found["text"] = self.text
        if self.arms:
            found["arms"] = self.arms
        return found


@dataclass(slots=True)
class Told:
    """What a text says of a campaign."""

    waves: list[Wave] = field(default_factory=list)
    holdout: float | None = None
    goal_event: str = ""
    goal_where: str = ""
    goal_window: int | None = None
    name: str = ""
    start: str = ""
    this_group: bool = False
    weekdays: bool = False
    """Nothing is to be sent on a weekend."""
    every: int = 0
    """Days from each wave to the next, where that was said once for all."""
    times: int = 0
    day_spans: list[tuple[int, int] | None] = field(default_factory=list)
    """Where in the text each wave's `14天后` stands."""
    from_first: bool = False
    """Rising days after the entry were counted from the first wave."""
    ambiguous: list[int] = field(default_factory=list)
    """Other days of the waves, where `14天后` may count from the start or from the wave before."""
