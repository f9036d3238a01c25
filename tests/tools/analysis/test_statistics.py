"""Inference against scipy and statsmodels directly, and against tables worked out by hand."""

import random
from math import sqrt

import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from tools.analysis.statistics import Sample, post_stratified, ready, sample_ratio, welch


def sample(values: list[float]) -> Sample:
    return Sample(len(values), sum(values), sum(v * v for v in values))


def test_welch_is_scipys_and_statsmodels() -> None:
    dice = random.Random(3)
    a = [dice.gauss(10, 3) for _ in range(60)]
    b = [dice.gauss(11, 7) for _ in range(95)]
    found = welch(sample(a), sample(b))
    assert found.p == pytest.approx(stats.ttest_ind(b, a, equal_var=False).pvalue, rel=1e-9)
    low, high = CompareMeans(DescrStatsW(b), DescrStatsW(a)).tconfint_diff(usevar="unequal")
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    assert found.relative == pytest.approx(found.diff / (sum(a) / len(a)))


def test_a_difference_of_rates_by_hand() -> None:
    """50 of 1,000 against 80 of 1,000: 0.03, standard error sqrt((.05*.95 + .08*.92)/999) = 0.011010."""
    found = welch(Sample(1000, 50, 50), Sample(1000, 80, 80))
    error = sqrt((0.05 * 0.95 + 0.08 * 0.92) / 999)
    assert found.diff == pytest.approx(0.03)
    assert error == pytest.approx(0.011010, abs=1e-6)
    assert (found.high - found.low) / 2 == pytest.approx(1.9612 * error, rel=1e-4)
    assert found.p == pytest.approx(0.0065, abs=2e-4)
    assert found.relative == pytest.approx(0.6)


def test_strata_undo_simpsons_paradox() -> None:
    """Within both strata the treatment does 0.1 better; pooled it looks worse, because it got the worse stratum."""
    rich = (Sample(900, 450, 450), Sample(100, 60, 60))
    poor = (Sample(100, 10, 10), Sample(900, 180, 180))
    pooled = welch(rich[0] + poor[0], rich[1] + poor[1])
    assert pooled.diff == pytest.approx(-0.22)
    found = post_stratified([rich, poor])
    assert found is not None
    assert found.diff == pytest.approx(0.1)
    variance = 0.25 * (0.25 / 899 + 0.24 / 99) + 0.25 * (0.09 / 99 + 0.16 / 899)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * sqrt(variance), rel=1e-6)
    assert found.p == pytest.approx(2 * stats.norm.sf(0.1 / sqrt(variance)), rel=1e-6)
    assert post_stratified([(Sample(1, 1, 1), Sample(5, 1, 1))]) is None


def test_sample_ratio() -> None:
    assert sample_ratio({"control": 500, "treatment": 500}, {"control": 1, "treatment": 1}) == pytest.approx(1.0)
    found = sample_ratio({"control": 550, "treatment": 450}, {"control": 1, "treatment": 1})
    assert found == pytest.approx(stats.chi2.sf(10.0, 1))  # (50²/500)·2
    assert sample_ratio({"control": 300, "treatment": 700}, {"control": 0.3, "treatment": 0.7}) == pytest.approx(1.0)
    assert sample_ratio({"control": 5, "other": 5}, {"control": 1, "treatment": 1}) is None
    assert sample_ratio({"control": 2, "treatment": 2}, {"control": 1, "treatment": 1}) is None


@pytest.mark.parametrize(
    ("control", "treatment", "reason"),
    [
        (Sample(0, 0, 0), Sample(50, 5, 5), "no_control"),
        (Sample(50, 5, 5), Sample(0, 0, 0), "no_treatment"),
        (Sample(29, 5, 5), Sample(50, 5, 5), "too_few_customers"),
        (Sample(500, 1, 1), Sample(500, 3, 3), "too_few_goals"),
        (Sample(500, 498, 498), Sample(500, 499, 499), "too_few_goals"),
        (Sample(50, 25, 25), Sample(50, 30, 30), ""),
    ],
)
def test_too_little_data_is_a_reason(control: Sample, treatment: Sample, reason: str) -> None:
    assert ready(control, treatment, binary=True) == reason


def test_no_variation() -> None:
    assert ready(Sample(50, 100, 200), Sample(50, 100, 200), binary=False) == "no_variation"
