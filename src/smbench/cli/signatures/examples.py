"""What each command's help shows to copy: a command line, and what it does. The first is what a newcomer tries."""

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "init": (
        ("smbench init mine.yaml", "a scenario to edit; it runs as it is"),
        ("smbench init calibration.yaml --calibration", "a scenario for fitting a model of your endpoint"),
    ),
    "validate": (("smbench validate mine.yaml", "mistakes with line and column, or what the run would do"),),
    "run": (
        ("smbench run", "the quick start, on the emulated endpoint: no AWS account, no cost"),
        ("smbench run mine.yaml --endpoint my-endpoint", "a real endpoint: uses AWS, costs money"),
        ("smbench run mine.yaml --endpoint my-endpoint --dry-run", "what that would send and cost"),
        ("smbench run mine.yaml --assert 'p95 < 8m' --junit results.xml", "a gate for CI"),
        ("smbench run mine.yaml --set target.emulated.instances.max=2,4 --seeds 1-5", "ten runs and their table"),
    ),
    "resume": (
        ("smbench resume results/RUN", "collect what has ended since, and report"),
        ("smbench resume results/RUN --continue", "also send what was certainly never sent"),
    ),
    "attach": (("smbench attach results/RUN", "watch a run; Ctrl-C leaves it alone"),),
    "stop": (("smbench stop results/RUN", "send no more, follow what was sent, report"),),
    "ps": (("smbench ps", "the runs of this machine and what became of them"),),
    "report": (
        ("smbench report results/RUN", "the report again"),
        ("smbench report results/RUN --html run.html", "also as a page with plots"),
        ("smbench report results/RUN --output json", "the same figures for a program"),
    ),
    "compare": (
        ("smbench compare results/A results/B", "B against A"),
        ("smbench compare 'results/main-*' 'results/branch-*' --fail-if 'slower-than 5%'", "a gate for CI"),
    ),
    "plot": (("smbench plot results/RUN --out plots", "every plot as PNG and SVG"),),
    "import": (
        ("smbench import k6.csv", "a file whose tool is known by its columns"),
        ("smbench import mine.csv --start sent_at --latency seconds --status code", "any other file"),
    ),
    "sweep": (("smbench sweep matrix.yaml", "every combination in the file, and which one to take"),),
    "search": (("smbench search steady-poisson --slo 'p95 < 30s'", "the highest rate that keeps the threshold"),),
    "scaling-target": (("smbench scaling-target realtime-quick-start", "a target for the scaling policy"),),
    "recommend": (
        ("smbench recommend --model my-model", "what SageMaker recommends without a test"),
        (
            "smbench recommend --model my-model --role arn:aws:iam::123456789012:role/JOB",
            "by a job that makes endpoints and costs money",
        ),
    ),
    "prices": (
        ("smbench prices", "the price table and its date"),
        ("smbench prices --refresh --region eu-west-1", "read AWS's price list for a region"),
    ),
    "simulate": (
        ("smbench simulate mine.yaml", "predict the run of a scenario"),
        ("smbench simulate mine.yaml --replications 20", "with a band around each figure"),
    ),
    "calibrate": (("smbench calibrate results/RUN --out fitted.yaml", "a model from a run"),),
    "check-model": (("smbench check-model fitted.yaml results/OTHER", "against a run that it was not fitted from"),),
    "what-if": (("smbench what-if mine.yaml --vary policies.yaml", "cost against latency, policy by policy"),),
    "advise": (("smbench advise mine.yaml --slo 'within(8m) >= 99%'", "the cheapest policy that keeps this"),),
    "doctor": (("smbench doctor mine.yaml --endpoint my-endpoint", "everything that would stop the run, at once"),),
    "policy": (
        ("smbench policy mine.yaml --endpoint my-endpoint", "what this run needs"),
        ("smbench policy --for deploy --stack demo", "what `deploy` and `destroy` need"),
    ),
    "deploy": (("smbench deploy demo --scenario scenario.yaml", "shows the resources and their price, then asks"),),
    "destroy": (("smbench destroy demo", "lists what will be removed, then asks"),),
    "clean": (
        ("smbench clean", "what any run left in the region"),
        ("smbench clean results/RUN", "what this run left"),
    ),
    "order": (("smbench order mine.yaml --to shared/order --shards 4 --go ready", "then a worker for each shard"),),
    "worker": (("smbench worker --order shared/order --shard 0/4", "the first of four"),),
    "collect": (("smbench collect shared/order", "one run and its report, when the workers have ended"),),
    "emulate": (
        ("smbench emulate --provision 1s", "an empty region, where new endpoints serve after a second"),
        ("smbench emulate mine.yaml --port 8000", "with the endpoint of a scenario, at a fixed port"),
    ),
    "bench": (("smbench bench", "under a minute on a quiet machine"),),
    "schema": (
        ("smbench schema > scenario.schema.json", "for an editor that checks scenario files"),
        ("smbench schema summary > summary.schema.json", "for a program that reads summary.json"),
    ),
}
