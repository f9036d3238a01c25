"""What is known of a model endpoint: where it is, how it must be spoken to, what it may cost."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelProfile(BaseSettings):
    """One OpenAI-compatible endpoint; every field is a setting TOUCHLINE_MODEL_<NAME>. Without a URL there is none.

    Servers differ in what they enforce, so nothing is trusted: arguments are validated on our side whatever the mode.
    """

    model_config = SettingsConfigDict(env_prefix="TOUCHLINE_MODEL_", extra="ignore", protected_namespaces=())

    url: str = Field("", description="Base URL, such as http://127.0.0.1:8081/v1.")
    key: SecretStr = Field(SecretStr("none"), description="API key; never logged.")
    name: str = Field("", description="Model name as the endpoint knows it; empty takes the first one it lists.")
    mode: Literal["native", "json", "auto"] = Field(
        "auto", description="native tool calls, one JSON action per step, or find out with a probe."
    )
    single_step: bool = Field(
        False, description="For small models: the turn ends after the first call that succeeded, without asking again."
    )
    max_tokens: int = Field(700, gt=0, description="Tokens a step may write.")
    timeout_s: float = Field(60.0, gt=0, description="Seconds a step may take.")
    retries: int = Field(2, ge=0, description="Repeats after a failed connection or a 429/5xx answer.")
    temperature: float = Field(0.0, ge=0)
    fields_shown: int = Field(
        28, gt=0, description="Catalog attributes shown to the model, nearest to the request first."
    )
    price_in: float = Field(0.0, ge=0, description="Price of a million prompt tokens.")
    price_out: float = Field(0.0, ge=0, description="Price of a million completion tokens.")
