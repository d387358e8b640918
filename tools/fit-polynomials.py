"""Fits the polynomials of src/kernel/decompositions: weighted Remez exchange, coefficients rounded to f32 one after the other.

After the lowest coefficient is rounded, the remaining ones are fitted again, so that they make up for the rounding. Needs mpmath and numpy:

    python tools/fit-polynomials.py
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 40


def exchange(function, weight, low, high, degree, fixed):
    """Coefficients that minimise max |weight·(function − polynomial)|, those in `fixed` given."""
    free = [i for i in range(degree + 1) if i not in fixed]
    count = len(free)
    rest = lambda x: function(x) - sum(mp.mpf(c) * x**i for i, c in fixed.items())
    points = sorted((low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * count + 2)) for k in range(count + 1))
    grid = [low + (high - low) * mp.mpf(k) / 1200 for k in range(1201)]
    targets, weights = [rest(x) for x in grid], [weight(x) for x in grid]
    for _ in range(25):
        system, right = mp.matrix(count + 1, count + 1), mp.matrix(count + 1, 1)
        for row, x in enumerate(points):
            for column, power in enumerate(free):
                system[row, column] = x**power * weight(x)
            system[row, count] = (-1) ** row
            right[row] = rest(x) * weight(x)
        solution = mp.lu_solve(system, right)
        errors = [(t - sum(solution[j] * x**p for j, p in enumerate(free))) * w for x, t, w in zip(grid, targets, weights)]
        # The largest error of every stretch of one sign.
        extremes = []
        for k, error in enumerate(errors):
            if not extremes or (error > 0) != (errors[extremes[-1]] > 0):
                extremes.append(k)
            elif abs(error) > abs(errors[extremes[-1]]):
                extremes[-1] = k
        while len(extremes) > count + 1:
            extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
        if len(extremes) < count + 1:
            break
        points = [grid[k] for k in extremes]
        largest = max(abs(e) for e in errors)
        if largest - min(abs(errors[k]) for k in extremes) < largest / 100:
            break
    return {power: solution[j] for j, power in enumerate(free)}


def fit(name, function, weight, low, high, degree):
    fixed = {}
    for power in range(degree + 1):
        fixed[power] = float(np.float32(float(exchange(function, weight, low, high, degree, fixed)[power])))
    grid = [low + (high - low) * mp.mpf(k) / 3000 for k in range(3001)]
    error = max(abs(weight(x) * (function(x) - sum(mp.mpf(c) * x**i for i, c in fixed.items()))) for x in grid)
    print(f"{name}: relative error 2^{float(mp.log(error, 2)):.2f}")
    print("  ", [fixed[i] for i in range(degree + 1)])


def near(zero, elsewhere):
    """`elsewhere`, with its limit at 0."""
    return lambda x: zero(x) if abs(x) < mp.mpf("1e-8") else elsewhere(x)


half = mp.mpf("0.3475")
rest_of_exp = near(lambda r: mp.mpf(1) / 2 + r / 6, lambda r: (mp.expm1(r) - r) / r**2)
fit("forExp", rest_of_exp, lambda r: r * r / mp.exp(r), -half, half, 4)
fit("forExpm1", rest_of_exp, near(lambda r: r, lambda r: r * r / mp.expm1(r)), -half, half, 5)
fit(
    "forLog",
    near(lambda f: mp.mpf(1) / 3 - f / 4, lambda f: (mp.log1p(f) - f + f * f / 2) / f**3),
    near(lambda f: f * f, lambda f: f**3 / mp.log1p(f)),
    mp.sqrt(mp.mpf("0.5")) - 1 - mp.mpf("1e-6"),
    mp.sqrt(2) - 1 + mp.mpf("1e-6"),
    8,
)
slope = 2 / mp.ln2
fit(
    "forLog2",
    near(
        lambda z: slope * (mp.mpf(1) / 3 + z / 5),
        lambda z: (mp.log((1 + mp.sqrt(z)) / (1 - mp.sqrt(z))) / mp.ln2 - slope * mp.sqrt(z)) / mp.sqrt(z) ** 3,
    ),
    lambda z: z,
    mp.mpf(0),
    mp.mpf("0.02946"),
    3,
)
fit(
    "forSin",
    near(lambda z: -mp.mpf(1) / 6 + z / 120, lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z),
    near(lambda z: z, lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z))),
    mp.mpf(0),
    mp.mpf("0.62"),
    2,
)
fit(
    "forCos",
    near(lambda z: mp.mpf(1) / 24 - z / 720, lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2),
    lambda z: z * z / mp.cos(mp.sqrt(z)),
    mp.mpf(0),
    mp.mpf("0.62"),
    2,
)
fit(
    "forExp2m1",
    near(lambda r: mp.ln2, lambda r: mp.expm1(r * mp.ln2) / r),
    near(lambda r: 1 / mp.ln2, lambda r: r / mp.expm1(r * mp.ln2)),
    -mp.mpf("0.5005"),
    mp.mpf("0.5005"),
    6,
)
fit(
    "forErf",
    near(lambda t: 2 / mp.sqrt(mp.pi) / mp.ln2, lambda t: -mp.log(mp.erfc(t)) / t / mp.ln2),
    near(lambda t: mp.sqrt(mp.pi) / 2 * mp.ln2, lambda t: t * mp.ln2 * mp.erfc(t) / mp.erf(t)),
    mp.mpf(0),
    mp.mpf("3.95"),
    7,
)


def fit_pinned(name, function, weight, low, high, degree, pinned):
    """As `fit` where coefficients are given beforehand and the weight has a zero inside, by Lawson's reweighted least squares."""
    grid = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(4000) + 0.5) / 4000)
    target, weights, fixed = function(grid), weight(grid), dict(pinned)
    while len(fixed) <= degree:
        free = [i for i in range(degree + 1) if i not in fixed]
        rest = target - sum(c * grid**i for i, c in fixed.items())
        emphasis, best = np.full(grid.size, 1 / grid.size), (np.inf, None)
        for _ in range(400):
            scale = np.sqrt(emphasis) * weights
            solution = np.linalg.lstsq(np.stack([grid**i for i in free], 1) * scale[:, None], rest * scale, rcond=None)[0]
            errors = abs(weights * (rest - sum(c * grid**i for i, c in zip(free, solution))))
            best = min(best, (errors.max(), tuple(solution)))
            emphasis = emphasis * (errors / errors.max() + 1e-4)
            emphasis /= emphasis.sum()
        fixed[free[0]] = float(np.float32(best[1][0]))
    error = max(abs(weights * (target - sum(c * grid**i for i, c in fixed.items()))))
    print(f"{name}: relative error 2^{np.log2(error):.2f}")
    print("  ", [fixed[i] for i in range(degree + 1)])


fit_pinned("forExp2", lambda r: 2.0**r, lambda r: 2.0**-r, -0.5005, 0.5005, 6, {0: 1.0})
normal_tail = lambda a: mp.erfc(a / mp.sqrt(2)) / 2
# weighted by what an error does to the function itself
fit(
    "forNormalCdf",
    near(lambda a: mp.sqrt(2 / mp.pi) / mp.ln2, lambda a: (-mp.log(normal_tail(a)) / mp.ln2 - 1) / a),
    lambda a: a * normal_tail(a) * mp.ln2,
    mp.mpf(0),
    mp.mpf("5.6"),
    7,
)
