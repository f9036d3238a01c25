"""Contact control: who may be touched when, decided set-wise, one decision and rule per candidate."""

from tools.throttle.decide import COLUMNS, decide
from tools.throttle.file import load_policy
from tools.throttle.policy import Cap, Capacity, Promise, QuietHours, ThrottlePolicy
from tools.throttle.waterfall import STEPS, Forecast, Held, Waterfall, forecast, waterfall
from tools.throttle.why import Reason, why
from tools.throttle.words import rule_words, step_words

__all__ = [
    "COLUMNS",
    "STEPS",
    "Cap",
    "Capacity",
    "Forecast",
    "Held",
    "Promise",
    "QuietHours",
    "Reason",
    "ThrottlePolicy",
    "Waterfall",
    "decide",
    "forecast",
    "load_policy",
    "rule_words",
    "step_words",
    "waterfall",
    "why",
]
