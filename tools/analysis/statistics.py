"""Inference from sufficient statistics. Pure functions; "cannot compute" is a reason code, never p = 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import tea_tasting as tt
from scipy import stats
from tea_tasting.aggr import Aggregates

Reason = Literal[
    "", "no_control", "no_treatment", "too_few_customers", "too_few_goals", "no_variation", "association_only"
]

CONFIDENCE = 0.95
MIN_CUSTOMERS = 30
"""Customers per arm below which nothing is inferred."""
MIN_GOALS = 5
"""For yes/no outcomes: successes, and failures, over both arms below which nothing is inferred."""
SRM_ALARM = 0.001
"""A sample-ratio p-value below this means that randomisation or its record is broken."""


@dataclass(frozen=True)
class Sample:
    """Sufficient statistics of one arm: customers, sum and sum of squares of their outcomes."""

    n: int
    total: float
    squares: float

    def __add__(self, other: "Sample") -> "Sample":
        return Sample(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None

    @property
    def variance(self) -> float:
        """Unbiased; 0 for fewer than two customers."""
        if self.n < 2:
            return 0.0
        return max(0.0, (self.squares - self.total * self.total / self.n) / (self.n - 1))


NOTHING = Sample(0, 0.0, 0.0)


@dataclass(frozen=True)
class Difference:
    """Treatment minus control, with its confidence interval and two-sided p-value.

    `relative` is the difference over the control's mean; None where that is zero.
    """

    diff: float
    low: float
    high: float
    p: float
    relative: float | None


def ready(control: Sample, treatment: Sample, binary: bool, least: int = MIN_CUSTOMERS) -> Reason:
    """Why a difference cannot be inferred; empty when it can."""
    if not control.n:
        return "no_control"
    if not treatment.n:
        return "no_treatment"
    if min(control.n, treatment.n) < least:
        return "too_few_customers"
    both = control + treatment
    if binary and (both.total < MIN_GOALS or both.n - both.total < MIN_GOALS):
        return "too_few_goals"
    if control.variance == 0 and treatment.variance == 0:
        return "no_variation"
    return ""


def welch(control: Sample, treatment: Sample) -> Difference:
    """Welch's t test and interval for the difference of two means, through tea-tasting.

    Call it only where `ready` gives no reason.
    """
    found = tt.Mean("y", equal_var=False, use_t=True, confidence_level=CONFIDENCE).analyze_aggregates(
        control=_aggregates(control), treatment=_aggregates(treatment)
    )
    relative = float(found.rel_effect_size) if control.total else None
    return Difference(
        diff=float(found.effect_size),
        low=float(found.effect_size_ci_lower),
        high=float(found.effect_size_ci_upper),
        p=float(found.pvalue),
        relative=relative,
    )


def post_stratified(strata: Sequence[tuple[Sample, Sample]]) -> Difference | None:
    """The difference where assignment was randomised within strata: (control, treatment) pairs, weighted by size.

    Sum over strata of w (m_t - m_c) with variance w^2 (s_t^2/n_t + s_c^2/n_c), w the stratum's share of all customers;
    normal interval (Miratrix, Sekhon and Yu 2013, eq. 3). Strata in which an arm has fewer than two customers tell
    nothing about a difference and are left out; None when none is left.
    """
    usable = [(c, t) for c, t in strata if c.n >= 2 and t.n >= 2]
    size = sum(c.n + t.n for c, t in usable)
    if not size:
        return None
    diff = variance = control_mean = 0.0
    for control, treatment in usable:
        weight = (control.n + treatment.n) / size
        diff += weight * ((treatment.mean or 0.0) - (control.mean or 0.0))
        variance += weight**2 * (treatment.variance / treatment.n + control.variance / control.n)
        control_mean += weight * (control.mean or 0.0)
    if variance <= 0:
        return None
    error = sqrt(variance)
    reach = float(stats.norm.ppf(0.5 + CONFIDENCE / 2)) * error
    p = float(2 * stats.norm.sf(abs(diff) / error))
    return Difference(diff, diff - reach, diff + reach, p, diff / control_mean if control_mean else None)


def sample_ratio(observed: Mapping[str, int], intended: Mapping[str, float]) -> float | None:
    """The p-value of a chi-square test of the arms' sizes against the intended shares.

    None when there are fewer than two arms, the arms are not the intended ones, or a cell expects fewer than 5.
    """
    arms = sorted(intended)
    if len(arms) < 2 or set(observed) - set(arms):
        return None
    counts = [observed.get(arm, 0) for arm in arms]
    weight = sum(intended.values())
    expected = [sum(counts) * intended[arm] / weight for arm in arms]
    if min(expected) < 5:
        return None
    return float(stats.chisquare(counts, expected).pvalue)


def _aggregates(sample: Sample) -> Aggregates:
    return Aggregates(count_=sample.n, mean_={"y": sample.mean or 0.0}, var_={"y": sample.variance})
