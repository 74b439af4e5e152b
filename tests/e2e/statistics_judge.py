"""A second opinion on intervals of confidence and comparisons: scipy and statsmodels compute the same from the same numbers.

Used by study.py. The bench `confidence` writes examples with what swarmline makes of them.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ALPHA = 0.05
"""As in src/stats/comparison.rs."""

RESAMPLES = 999


def install(directory):
    """Makes both packages importable, from a folder of their own where they are not installed."""
    try:
        import statsmodels  # noqa: F401
    except ImportError:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--target", directory, "scipy", "statsmodels"]
        subprocess.run(pip, check=True, capture_output=True)
        sys.path.insert(0, str(directory))


def examples(directory):
    """What the bench writes."""
    file = directory / "examples.json"
    command = ["cargo", "bench", "--locked", *os.environ.get("STUDY_PROFILE", "").split(), "--bench", "confidence"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"STUDY_EXAMPLES": str(file)}, check=True, capture_output=True)
    return json.loads(file.read_text())


def difference(row):
    """Difference of the sides' means of a figure's logarithm, its standard error, and degrees of freedom."""
    import numpy
    from scipy import stats

    sides = [[log for log, _ in row[side]] for side in ("baseline", "runs")]
    equal = stats.ttest_ind(sides[1], sides[0], equal_var=True)
    log_ratio = numpy.mean(sides[1]) - numpy.mean(sides[0])
    between = abs(log_ratio / equal.statistic)
    within = numpy.sqrt(sum(numpy.mean([error**2 for _, error in row[side]]) / len(row[side]) for side in ("baseline", "runs")))
    return log_ratio, max(between, within), len(sides[0]) + len(sides[1]) - 2


def judge_comparisons(comparisons):
    """The largest deviation of a probability, the largest of a margin, and how many findings differ."""
    import numpy
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    worst_p, worst_margin, different, worse = 0.0, 0.0, 0, 0
    for comparison in comparisons:
        tolerance, p = numpy.log1p(comparison["tolerance"]), []
        for row in comparison["rows"]:
            log_ratio, error, freedom = difference(row)
            p.append(stats.t.sf((log_ratio - tolerance) / error, freedom))
            margin = numpy.expm1(stats.t.ppf(0.975, freedom) * error)
            is_same = abs(log_ratio) + stats.t.ppf(1 - ALPHA, freedom) * error < tolerance
            worst_p = max(worst_p, abs(p[-1] - row["p"]))
            worst_margin = max(worst_margin, abs(margin - row["margin"]))
            different += bool(is_same) != row["is_same"]
        rejected = multipletests(p, alpha=ALPHA, method="holm")[0]
        different += sum(bool(ours) != row["is_worse"] for ours, row in zip(rejected, comparison["rows"]))
        worse += int(sum(rejected))
    return worst_p, worst_margin, different, worse


def judge_failures(failures):
    """The largest deviation of a probability from scipy's binomial test."""
    from scipy import stats

    worst = 0.0
    for case in failures:
        (failed, completed), (more, of) = case["baseline"], case["runs"]
        share = of * (1 + case["tolerance"])
        share /= share + completed
        theirs = stats.binomtest(more, failed + more, share, alternative="greater").pvalue
        worst = max(worst, abs(theirs - case["p"]))
    return worst


def judge_intervals(runs):
    """Of each figure: the mean ratio of the intervals' lengths, swarmline's to scipy's bootstrap of independent ticks."""
    import numpy
    from scipy import stats

    ratios = {"p50": [], "p95": [], "mean": []}
    for run in runs:
        ticks = [numpy.repeat([us for us, _ in tick], [count for _, count in tick]) for tick in run["ticks"]]
        places = numpy.arange(len(ticks))
        for name, figure in (("p50", lambda all: numpy.percentile(all, 50)), ("p95", lambda all: numpy.percentile(all, 95)),
                             ("mean", numpy.mean)):
            def of_ticks(chosen, figure=figure):
                return numpy.log(figure(numpy.concatenate([ticks[place] for place in chosen.astype(int)])))

            theirs = stats.bootstrap((places,), of_ticks, n_resamples=RESAMPLES, vectorized=False, method="basic",
                                     random_state=1).confidence_interval
            low, high = run[name]
            ratios[name].append((numpy.log(high) - numpy.log(low)) / (theirs.high - theirs.low))
    return {name: float(numpy.mean(found)) for name, found in ratios.items()}


def judged(directory):
    """Lines of the page, and whether both agree."""
    install(directory / "packages")
    import scipy
    import statsmodels

    found = examples(directory)
    worst_p, worst_margin, different, worse = judge_comparisons(found["comparisons"])
    worst_failures = judge_failures(found["failures"])
    ratios = judge_intervals(found["runs"])
    rows = sum(len(comparison["rows"]) for comparison in found["comparisons"])
    bars = [
        (f"{rows} differences, p and half of the interval: off by at most 1e-9", f"{max(worst_p, worst_margin):.1e}",
         max(worst_p, worst_margin) <= 1e-9),
        ("Holm's method (statsmodels) and two one-sided tests: findings that differ", f"{different} ({worse} worse)",
         different == 0 and worse > 0),
        ("failures by the exact test: off by at most 1e-9", f"{worst_failures:.1e}", worst_failures <= 1e-9),
        *((f"length of the interval of {name} beside a bootstrap of independent ticks: 0.9 to 1.6 times", f"{ratio:.2f}",
           0.9 <= ratio <= 1.6) for name, ratio in ratios.items()),
    ]
    lines = ["## A second opinion on intervals and comparisons", "",
             f"scipy {scipy.__version__} and statsmodels {statsmodels.__version__} on the same numbers, intervals of runs with "
             "independent ticks. An interval by blocks is longer than one that knows that ticks are independent: of 60 ticks there "
             "are 7.5 blocks.", "",
             "| bar | reached | ok |", "| --- | --- | --- |",
             *(f"| {bar} | {reached} | {'ok' if met else 'MISSED'} |" for bar, reached, met in bars), ""]
    return lines, all(met for *_, met in bars)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(judged(Path(folder))[0]))
