"""How well a fit finds the endpoint behind a run, and how well the model then predicts a run it never saw.

Recovery: eight seeds each of concurrency 1, 2, 4 and 8, notices blurred by 50 ms, AWS's clock half a second away; the
service is compared with what the endpoint drew.
Hold-out: a model fitted from one story predicts another, with other arrivals, services, provisioning and seconds of its
alarms. `--covered N`: how often the 90 % bands hold what a run of another day had, and where among its predictions it
is: at each place as often if the bands are as wide as they should be.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

import numpy as np

import smbench
from calibrating import calibration_load, drawn_mean_s, run_of, truth
from machine import host
from smbench.calibration.checking.check import ModelCheck
from smbench.calibration.checking.redrawn import PROVISIONING_DRIFT, SERVICE_DRIFT
from smbench.calibration.fit import fit
from smbench.scenario.model import Scenario

CONCURRENCIES = (1, 2, 4, 8)
PROVISIONING_S = 150.0
Load = list[dict[str, object]]

BURST: Load = [{"burst": {"requests": 600, "within": "60s"}}, {"pause": {"for": "40m"}}]
HELD_OUT: Load = [
    {"poisson": {"rate": "0.5/s", "for": "5m"}},
    {"burst": {"requests": 900, "within": "2m"}},
    {"poisson": {"rate": "1.5/s", "for": "15m"}},
    {"pause": {"for": "20m"}},
]
ANY_SECOND = {"alarm_phase": {"uniform": {"low": 0, "high": 60}}}


def main() -> None:
    """Print both tables to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--held-out", type=int, default=5)
    parser.add_argument("--covered", type=int, default=0, help="seeds of the bands' coverage; some 10 s each")
    options = parser.parse_args()
    print(host())
    if options.seeds:
        recovery(options.seeds)
    if options.held_out:
        hold_out(options.held_out)
    if options.covered:
        coverage(options.covered)


def recovery(n_seeds: int) -> None:
    """Worst errors over the seeds."""
    print("concurrency  found   service, worst  mean  provisioning, worst")
    for slots in CONCURRENCIES:
        n_exact, service, provisioning = 0, [], []
        for seed in range(1, n_seeds + 1):
            skew_s = 0.5 if seed % 2 else -0.5
            true = truth(calibration_load(slots), slots, seed=seed)
            found = fit([run_of(true, noise_s=0.05, skew_s=skew_s)])
            n_exact += found.slots == slots
            mean_s = sum(float(one.services_s.sum()) for one in found.services.by_class)
            n = sum(len(one.services_s) for one in found.services.by_class)
            service.append(abs(mean_s / n / drawn_mean_s(true) - 1))
            provisioning.append(abs(found.provisioning.mean_s / PROVISIONING_S - 1))
        print(
            f"{slots:11}  {n_exact} of {n_seeds}  {100 * max(service):10.1f} %  {100 * sum(service) / n_seeds:4.1f} %"
            f"  {100 * max(provisioning):10.1f} %"
        )


def hold_out(n_seeds: int) -> None:
    """Errors of the mean of eight predictions; the held-out run's alarms are evaluated at other seconds."""
    n_good, within = 0, []
    print("seed  grade          KS     backlog  drain    p95      KS as before")
    for seed in range(1, n_seeds + 1):
        found = _checked(seed, _story(HELD_OUT, seed + 100), replications=8)
        errors = found.figures
        n_good += found.grade == "A"
        within.append(errors["ks"] <= 0.05 and errors["backlog"] <= 0.10 and abs(errors["drain"]) <= 0.15)
        print(
            f"{seed:4}  {found.grade:13}  {errors['ks']:.3f}  {100 * errors['backlog']:6.1f} %"
            f"  {100 * errors['drain']:+5.1f} %  {100 * errors['p95']:+5.1f} %  {found.persistence['ks']:.3f}"
            f"{'  an alarm sees its minutes by chance' if found.notes else ''}",
            flush=True,
        )
    print(
        f"{n_good} of {n_seeds} held-out runs within grade A; {sum(within)} have KS <= 0.05, backlog 10 %, drain 15 %"
    )


def coverage(n_seeds: int) -> None:
    """How often the bands hold a run of another day: service and provisioning have drifted as the bands assume."""
    inside, places = list[float](), list[list[float]]()
    for seed in range(1, n_seeds + 1):
        rng = np.random.default_rng(seed)
        service, provision = rng.normal(1, SERVICE_DRIFT), rng.normal(1, PROVISIONING_DRIFT)
        other = _story(
            HELD_OUT,
            seed + 100,
            service={"lognormal": {"mean": f"{2 * service:.4f}s", "sigma": 0.3}},
            provision={"lognormal": {"mean": f"{PROVISIONING_S * provision:.2f}s", "sigma": 0.05}},
        )
        found = _checked(seed, other, replications=20)
        assert found.covered is not None
        inside.append(found.covered)
        places.append(list(found.places.values()))
        print(f"{seed:4}  {inside[-1]:.2f}  {'  '.join(f'{place:.2f}' for place in places[-1])}", flush=True)
    print(f"p50, p90, p95 and p99 within the 90 % band: {100 * sum(inside) / n_seeds:.0f} % over {n_seeds} seeds")
    spread = np.std(places, axis=0)
    print(f"their places among 20 predictions: standard deviation {spread.round(2)}, of equally likely ones 0.29")


def _checked(seed: int, other: Scenario, replications: int) -> ModelCheck:
    """A model of one story held against another."""
    with tempfile.TemporaryDirectory() as made:
        there = Path(made)
        fitted_from = smbench.simulate(_story([*calibration_load(2)[:3], BURST[1], *BURST], seed), results=there)
        held_out = smbench.simulate(other, results=there / "held-out")
        assert fitted_from.path is not None
        assert held_out.path is not None
        smbench.calibrate(fitted_from.path, out=there / "fitted.yaml")
        return smbench.check_model(there / "fitted.yaml", held_out.path, replications=replications).found


def _story(load: Load, seed: int, **changes: object) -> Scenario:
    provision = {"lognormal": {"mean": f"{PROVISIONING_S:g}s", "sigma": 0.05}}
    return truth(
        load, 2, **({"seed": seed, "provision": provision, "open_questions": ANY_SECOND, "time": "warp"} | changes)
    )


if __name__ == "__main__":
    main()
