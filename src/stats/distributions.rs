//! Tail probabilities and quantiles of Student's t and of the binomial distribution.
//!
//! Both follow from the regularised incomplete beta function (NIST Digital Library of Mathematical Functions, 8.17). A
//! library for these two would bring linear algebra along.

/// The continued fraction has converged when a factor differs from 1 by less than this.
const PRECISION: f64 = 1e-15;

/// More terms than the continued fraction needs for parameters up to 10^7; it converges in about the square root of the
/// larger one.
const MAX_TERMS: u32 = 20_000;

/// The probability that a variable with Student's t distribution exceeds `t`. `df` are the degrees of freedom, which need
/// not be an integer; 0.5 if they are not positive, because nothing is known then.
#[must_use]
pub fn t_tail(t: f64, df: f64) -> f64 {
    if df <= 0.0 || t.is_nan() {
        return 0.5;
    }
    // DLMF 8.17.2 with x = df / (df + t²).
    let half = 0.5 * incomplete_beta(df / (df + t * t), df / 2.0, 0.5);
    if t > 0.0 { half } else { 1.0 - half }
}

/// The value that a variable with Student's t distribution exceeds with probability `tail`, from 0 (exclusive) to 0.5.
/// Infinite if the degrees of freedom are not positive.
#[must_use]
pub fn t_quantile(tail: f64, df: f64) -> f64 {
    if df <= 0.0 {
        return f64::INFINITY;
    }
    let mut high = 1.0;
    while t_tail(high, df) > tail && high < 1e300 {
        high *= 2.0;
    }
    let mut low = 0.0;
    // Each step halves the range, so that 100 of them exhaust the 53 bits of a number.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if t_tail(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The probability of at least `successes` among `trials` that each succeed with `probability`.
#[must_use]
pub fn binomial_tail(successes: u64, trials: u64, probability: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    if successes > trials {
        return 0.0;
    }
    // DLMF 8.17.5.
    incomplete_beta(probability, successes as f64, (trials - successes) as f64 + 1.0)
}

/// The regularised incomplete beta function `I_x(a, b)`.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly only on this side of the mean; DLMF 8.17.4 gives the other side.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b) - a.ln();
    front.exp() / fraction(x, a, b)
}

/// The continued fraction DLMF 8.17.22, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let nonzero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut value, mut upper, mut lower) = (1.0, 1.0, 0.0);
    for term in 1..MAX_TERMS {
        let m = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        lower = 1.0 / nonzero(1.0 + numerator * lower);
        upper = nonzero(1.0 + numerator / upper);
        value *= upper * lower;
        if (upper * lower - 1.0).abs() < PRECISION {
            break;
        }
    }
    value
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The logarithm of the gamma function of a positive number: Stirling's series (DLMF 5.11.1), which from 10 on has an
/// error below 1e-14 with these terms; smaller arguments are raised by Γ(x + 1) = x Γ(x).
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut raised) = (x, 1.0);
    while x < 10.0 {
        raised *= x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
    let series = series.iter().rev().fold(0.0, |sum, term| sum * inverse + term) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - raised.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(value: f64, expected: f64, what: &str) {
        assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{what}: {value} is not {expected}");
    }

    #[test]
    fn tails_and_quantiles_of_t_equal_those_of_scipy() {
        // scipy.stats.t.sf(t, df), SciPy 1.17.1.
        for (t, df, tail) in T_TAILS {
            assert_near(t_tail(t, df), tail, "tail");
            assert_near(t_tail(-t, df), 1.0 - tail, "tail on the other side");
            assert_near(t_quantile(tail, df), t, "quantile");
        }
        assert!(t_quantile(0.025, 0.0).is_infinite(), "without degrees of freedom nothing is known");
        assert_near(t_tail(3.0, 0.0), 0.5, "tail without degrees of freedom");
    }

    #[test]
    fn the_binomial_tail_equals_that_of_scipy() {
        // scipy.stats.binom.sf(successes - 1, trials, probability), SciPy 1.17.1.
        for (successes, trials, probability, tail) in BINOMIAL_TAILS {
            assert_near(binomial_tail(successes, trials, probability), tail, "tail");
        }
        assert_near(binomial_tail(0, 10, 0.1), 1.0, "at least none");
        assert_near(binomial_tail(11, 10, 0.1), 0.0, "more than there are");
    }

    #[allow(clippy::unreadable_literal, reason = "as SciPy prints them")]
    const T_TAILS: [(f64, f64, f64); 8] = [
        (0.5, 1.0, 0.35241638234956674),
        (2.0, 1.5, 0.11209416517802556),
        (2.5, 4.0, 0.03338327240599407),
        (1.2, 6.745966692414834, 0.13528974242692457),
        (3.3, 8.0, 0.005429425804996473),
        (4.5, 9.0, 0.0007444747077058662),
        (2.0, 30.0, 0.027312522481491547),
        (1.96, 1000000.0, 0.024998033792634926),
    ];

    #[allow(clippy::unreadable_literal, reason = "as SciPy prints them")]
    const BINOMIAL_TAILS: [(u64, u64, f64, f64); 6] = [
        (1, 10, 0.1, 0.6513215599000001),
        (8, 10, 0.5, 0.0546875),
        (3, 5000, 0.0005, 0.4562189556527815),
        (60, 100, 0.5, 0.028443966820490444),
        (2600, 5000, 0.5, 0.002441824868758747),
        (510000, 1000000, 0.5, 2.772181643854259e-89),
    ];
}
