"""What a touch costs, as data: `policies/costs.yaml` of a home, else round figures a Chinese bank would recognise."""

from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.errors import AdminFixes
from warehouse.home import Home


class Costs(BaseModel):
    """Per touch, in the bank's currency; an SMS per part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = "CNY"
    per_touch: dict[str, float] = Field(
        {"sms": 0.05, "push": 0.001, "inapp": 0.0, "wecom": 0.0, "email": 0.005, "call": 0.6, "task": 2.0}
    )

    @classmethod
    def load(cls, home: Home) -> Self:
        """Raises: AdminFixes: the file does not fit."""
        path = home.policies / "costs.yaml"
        if not path.exists():
            return cls()
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
        except (yaml.YAMLError, ValidationError) as error:
            raise AdminFixes(f"The costs {path} do not fit: {str(error).splitlines()[0]}", "Mend the file.") from None

    def touch(self, channel: str, parts: int = 1) -> float:
        return self.per_touch.get(channel, 0.0) * (parts if channel == "sms" else 1)
