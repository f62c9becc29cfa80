"""How well a fit finds the endpoint behind a run, and how well the model then predicts a run it never saw.

Recovery: eight seeds each of concurrency 1, 2, 4 and 8, notices blurred by 50 ms, AWS's clock half a second away; the
service is compared with what the endpoint drew.
Hold-out: a model fitted from one story predicts another, with other arrivals, services and provisioning; the alarms are
those of one endpoint. Last line: how many of the held-out runs are within the limits of grade A.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

import smbench
from calibrating import calibration_load, drawn_mean_s, run_of, truth
from machine import host
from smbench.calibration.fit import fit
from smbench.scenario.model import Scenario, Seeds

CONCURRENCIES = (1, 2, 4, 8)
PROVISIONING_S = 150.0
BURST = [{"burst": {"requests": 600, "within": "60s"}}, {"pause": {"for": "40m"}}]
HELD_OUT = [
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
    options = parser.parse_args()
    print(host())
    recovery(options.seeds)
    hold_out(options.held_out)


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
    """Errors of the mean of eight predictions."""
    n_good = 0
    print("seed  grade          KS     backlog  drain    p95      KS as before")
    for seed in range(1, n_seeds + 1):
        with tempfile.TemporaryDirectory() as made:
            there = Path(made)
            fitted_from = smbench.simulate(_story([*calibration_load(2)[:3], BURST[1], *BURST], seed), results=there)
            held_out = _story(HELD_OUT, seed + 100).model_copy(update={"seeds": Seeds(capacity=seed)})
            other = smbench.simulate(held_out, results=there / "held-out")
            assert fitted_from.path is not None
            assert other.path is not None
            smbench.calibrate(fitted_from.path, out=there / "fitted.yaml")
            found = smbench.check_model(there / "fitted.yaml", other.path, replications=8).found
        errors = found.figures
        n_good += found.grade == "A"
        print(
            f"{seed:4}  {found.grade:13}  {errors['ks']:.3f}  {100 * errors['backlog']:6.1f} %"
            f"  {100 * errors['drain']:+5.1f} %  {100 * errors['p95']:+5.1f} %  {found.persistence['ks']:.3f}"
        )
    print(f"{n_good} of {n_seeds} held-out runs within grade A")


def _story(load: list[dict[str, object]], seed: int) -> Scenario:
    provision = {"lognormal": {"mean": f"{PROVISIONING_S:g}s", "sigma": 0.05}}
    return truth(load, 2, seed=seed, provision=provision, open_questions=ANY_SECOND, time="warp")


if __name__ == "__main__":
    main()
