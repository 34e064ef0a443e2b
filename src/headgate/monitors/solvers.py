"""What SciPy and scikit-learn work out for monitors, each imported when it is asked for the first time.

Both take seconds to import, and every verb of the command line would wait for them. Nothing else in monitors imports
them inside a function.
"""

from typing import Any

from headgate.evaluation.estimate import Floats


def clusters(vectors: Floats, count: int, seed: int) -> Any:
    """K-means of the rows of `vectors`, fitted: scikit-learn's, the best of three beginnings (Lloyd 1982)."""
    from sklearn.cluster import KMeans  # noqa: PLC0415 - seconds

    return KMeans(n_clusters=count, n_init=3, random_state=seed).fit(vectors)


def classifier(**words: Any) -> Any:
    """Boosted trees for two classes, not fitted yet; `words` are those of HistGradientBoostingClassifier."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - seconds

    return HistGradientBoostingClassifier(**words)


def regressor(**words: Any) -> Any:
    """Boosted trees for numbers, not fitted yet; `words` are those of HistGradientBoostingRegressor."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - seconds

    return HistGradientBoostingRegressor(**words)


def rising(values: Floats, weights: Floats) -> Floats:
    """The rising values nearest to these in weighted squares (Barlow et al. 1972).

    >>> import numpy as np
    >>> rising(np.array([0.0, 1.0, 0.5]), np.ones(3)).tolist()
    [0.0, 0.75, 0.75]
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - seconds

    found: Floats = isotonic_regression(values, weights=weights).x
    return found


def kolmogorov_tail(statistic: float, rows: int) -> float:
    """The probability of at least this Kolmogorov-Smirnov statistic of so many rows beside their true distribution.

    >>> round(kolmogorov_tail(0.5, 4), 3)
    0.188
    """
    from scipy.stats import kstwo  # noqa: PLC0415 - seconds

    return float(kstwo.sf(statistic, rows))


def fisher_p_value(table: list[list[int]]) -> float:
    """Fisher's exact test of a table of two by two, on both sides.

    >>> round(fisher_p_value([[3, 1], [1, 3]]), 3)
    0.486
    """
    from scipy.stats import fisher_exact  # noqa: PLC0415 - seconds

    return float(fisher_exact(table).pvalue)
