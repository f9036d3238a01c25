"""Who is acting, as the rest of the house sees him. Made by `control.authority` from a session or token."""

from pydantic import BaseModel, ConfigDict


class Actor(BaseModel):
    """A signed-in account. Four eyes are counted by `person`, never by `account`."""

    model_config = ConfigDict(frozen=True)

    account: str
    person: str
    roles: tuple[str, ...] = ()
    branches: tuple[int, ...] | None = None
    """The branches whose customers he may see; None means all of the bank."""
    exact_numbers: bool = True
    """May see exact counts; otherwise groups under 10 are shown as '<10'."""
