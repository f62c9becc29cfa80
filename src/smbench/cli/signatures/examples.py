"""What each command's help shows to copy: its arguments, and what they do. The first is what a newcomer tries."""

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "init": (
        ("mine.yaml", "a scenario to edit; it runs as it is"),
        ("calibration.yaml --calibration", "a scenario for fitting a model of your endpoint"),
    ),
    "validate": (("mine.yaml", "mistakes with line and column, or what the run would do"),),
    "run": (
        ("", "the quick start, on the emulated endpoint: no AWS account, no cost"),
        ("mine.yaml --endpoint my-endpoint", "a real endpoint: uses AWS, costs money"),
        ("mine.yaml --endpoint my-endpoint --dry-run", "what that would send and cost"),
        ("mine.yaml --assert 'p95 < 8m' --junit results.xml", "a gate for CI"),
        ("mine.yaml --set target.emulated.instances.max=2,4 --seeds 1-5", "ten runs and their table"),
    ),
    "resume": (
        ("results/RUN", "collect what has ended since, and report"),
        ("results/RUN --continue", "also send what was certainly never sent"),
    ),
    "attach": (("results/RUN", "watch a run; Ctrl-C leaves it alone"),),
    "stop": (("results/RUN", "send no more, follow what was sent, report"),),
    "ps": (("", "the runs of this machine and what became of them"),),
    "report": (
        ("results/RUN", "the report again"),
        ("results/RUN --html run.html", "also as a page with plots"),
        ("results/RUN --output json", "the same figures for a program"),
    ),
    "compare": (
        ("results/A results/B", "B against A"),
        ("'results/main-*' 'results/branch-*' --fail-if 'slower-than 5%'", "a gate for CI"),
    ),
    "plot": (("results/RUN --out plots", "every plot as PNG and SVG"),),
    "import": (
        ("k6.csv", "a file whose tool is known by its columns"),
        ("mine.csv --start sent_at --latency seconds --status code", "any other file"),
    ),
    "sweep": (("matrix.yaml", "every combination in the file, and which one to take"),),
    "search": (("steady-poisson --slo 'p95 < 30s'", "the highest rate that keeps the threshold"),),
    "scaling-target": (("mine.yaml --assert 'p95 < 2s'", "a target for the scaling policy"),),
    "recommend": (
        ("--model my-model", "what SageMaker recommends without a test"),
        (
            "--model my-model --role arn:aws:iam::123456789012:role/JOB",
            "by a job that makes endpoints and costs money",
        ),
    ),
    "prices": (
        ("", "the price table and its date"),
        ("--refresh --region eu-west-1", "read AWS's price list for a region"),
    ),
    "simulate": (
        ("mine.yaml", "predict the run of a scenario"),
        ("mine.yaml --replications 20", "with a band around each figure"),
    ),
    "calibrate": (("results/RUN --out fitted.yaml", "a model from a run"),),
    "check-model": (("fitted.yaml results/OTHER", "against a run that it was not fitted from"),),
    "what-if": (("mine.yaml --vary policies.yaml", "cost against latency, policy by policy"),),
    "advise": (("mine.yaml --slo 'within(8m) >= 99%'", "the cheapest policy that keeps this"),),
    "doctor": (("mine.yaml --endpoint my-endpoint", "everything that would stop the run, at once"),),
    "policy": (
        ("mine.yaml --endpoint my-endpoint", "what this run needs"),
        ("--for deploy --stack demo", "what `deploy` and `destroy` need"),
    ),
    "deploy": (("demo --scenario scenario.yaml", "shows the resources and their price, then asks"),),
    "destroy": (("demo", "lists what will be removed, then asks"),),
    "clean": (
        ("", "what any run left in the region"),
        ("results/RUN", "what this run left"),
    ),
    "order": (("mine.yaml --to shared/order --shards 4 --go ready", "then a worker for each shard"),),
    "worker": (("--order shared/order --shard 0/4", "the first of four"),),
    "collect": (("shared/order", "one run and its report, when the workers have ended"),),
    "emulate": (
        ("--provision 1s", "an empty region, where new endpoints serve after a second"),
        ("mine.yaml --port 8000", "with the endpoint of a scenario, at a fixed port"),
    ),
    "bench": (("", "under a minute on a quiet machine"),),
    "schema": (
        ("> scenario.schema.json", "for an editor that checks scenario files"),
        ("summary > summary.schema.json", "for a program that reads summary.json"),
    ),
}
