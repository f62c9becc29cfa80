"""The emulator as a whole: every service on one port of 127.0.0.1, one model behind them, one clock before them."""

from pathlib import Path
from typing import Any

from smbench.clock import Clock
from smbench.emulator.cloudformation.kind import Account
from smbench.emulator.cloudformation.service import CloudFormation
from smbench.emulator.driver import Driver
from smbench.emulator.faults import Faults
from smbench.emulator.iam import Iam
from smbench.emulator.logs import Logs
from smbench.emulator.message_faults import MessageFaults
from smbench.emulator.messaging.sns import Sns
from smbench.emulator.messaging.sqs import Sqs
from smbench.emulator.monitoring.alarm_operations import Alarms
from smbench.emulator.monitoring.autoscaling import AutoScaling
from smbench.emulator.monitoring.cloudwatch import CloudWatch
from smbench.emulator.protocol.front import Front, RestService, ShapedService
from smbench.emulator.protocol.http import HttpServer
from smbench.emulator.protocol.signatures import Signatures
from smbench.emulator.s3.service import S3
from smbench.emulator.sagemaker.completion import Completion
from smbench.emulator.sagemaker.components import Components
from smbench.emulator.sagemaker.control_plane import SageMaker
from smbench.emulator.sagemaker.hosting import Hosting
from smbench.emulator.sagemaker.processing import Images, ProcessingJobs
from smbench.emulator.sagemaker.recommender import Recommender
from smbench.emulator.sagemaker.runtime import Runtime
from smbench.emulator.sagemaker.synchronous import SynchronousCalls
from smbench.emulator.sagemaker.truth import Truth
from smbench.emulator.service_quotas import ServiceQuotas
from smbench.emulator.site import Site
from smbench.emulator.ssm import Ssm
from smbench.emulator.sts import Sts
from smbench.emulator.tagging import Tagging
from smbench.model.endpoints.answers import GAPS
from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler
from smbench.model.world import EMBEDDED, VARIANT, World
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario, Target
from smbench.scenario.values.seeds import stream

BUCKET = "smbench-emulated"
SUCCESS_TOPIC, ERROR_TOPIC = "smbench-success", "smbench-error"


class Emulator:
    """AWS as one endpoint's clients need it. Two of them in one process share nothing.

    Scenario time stays at zero until `go`, so clients can be set up without using any of it.

    Args:
        scenario: Whose emulated endpoint is served, and whose laws, faults and seeds hold for every endpoint that
            API calls make beside it. None serves an empty account.
        base_dir: Where the scenario's empirical files are looked up.
        epoch_ns: UTC nanoseconds at scenario time zero.
        verify_signatures: Refuse every call that `signatures.CREDENTIALS` did not sign.
        defaults: The laws of an empty account's endpoints, in the place of the usual ones.
        images: What processing jobs run; None: no job is served.
        keeps_truth: Keep a row for each call until the end; without, `truth` knows those that are under way alone.
    """

    def __init__(
        self,
        scenario: Scenario | None,
        base_dir: Path | None,
        epoch_ns: int,
        region: str = "us-east-1",
        account: str = "123456789012",
        *,
        verify_signatures: bool = False,
        defaults: Emulated | None = None,
        keeps_truth: bool = True,
        images: Images | None = None,
    ) -> None:
        emulated = (defaults or Emulated()) if scenario is None else scenario.target.emulated
        event_queue = EventQueue()
        skew_ns = round(emulated.faults.clock_skew * 1e9)
        self.site = Site(event_queue, epoch_ns, region, account, skew_ns, emulated.faults.clock_drift_ppm)
        self.driver = Driver(event_queue)
        self.world = World.of(event_queue, epoch_ns, scenario, base_dir, region=region, account=account)
        self.world.metrics.keeps_spreads = True
        self.truth = Truth(epoch_ns, is_kept=keeps_truth)

        self.s3 = S3(self.site)
        self.sqs = Sqs(self.site, redelivered=emulated.faults.messages_redelivered, seed=self.world.seeds.faults)
        self.sns = Sns(self.site, self.sqs)
        self.hosting = Hosting(self.site, self.world, self.sns, emulated, base_dir)
        self.sagemaker = SageMaker(self.site, self.hosting)
        completion = Completion(self.site, self.s3, self.sqs, self.sns, self.world.metrics, self.truth, emulated)
        gap = Sampler(emulated.stream.gap, stream(self.world.seeds.service, GAPS), base_dir)
        self.runtime = Runtime(
            self.site,
            self.hosting,
            self.truth,
            MessageFaults(emulated, self.world.seeds.faults, base_dir),
            completion,
            SynchronousCalls(
                self.site,
                self.truth,
                emulated.stream.parts,
                gap,
                stream(self.world.seeds.service, "variants"),
                self.sagemaker.multi_models,
            ),
        )
        self.recommender = Recommender(self.site, self.sagemaker.models.__contains__, emulated)
        components = Components(self.sagemaker)
        self.sagemaker.operations |= self.recommender.operations | components.operations
        self.iam = Iam(self.site)
        scaling = AutoScaling(self.site, self.world)
        alarms = Alarms(self.site, self.world.alarms)
        ssm = Ssm(self.site)
        services = Account(self.s3, self.sqs, self.sns, self.iam, self.sagemaker, scaling, alarms, ssm)
        faults = Faults(emulated.faults, self.world.seeds.faults, base_dir)
        self.cloudformation = CloudFormation(self.site, services, faults)
        sts = Sts(self.site)
        signatures = Signatures(region, temporary=sts.temporary) if verify_signatures else None
        self.front = Front(self.site, self.driver, signatures, faults)
        self._jobs = None if images is None else ProcessingJobs(self.site, self.s3, images)
        if self._jobs is not None:
            self.sagemaker.operations |= self._jobs.operations
            self.s3.create_bucket(f"sagemaker-{region}-{account}")  # as in an account that has used SageMaker before
        streams, groups = [self.hosting.logs, components.logs], [self.hosting.log_groups]
        if self._jobs is not None:
            streams.append(self._jobs.logs)
            groups.append(self._jobs.log_groups)
        self.services: tuple[ShapedService | RestService, ...] = (
            self.s3,
            self.sqs,
            self.sns,
            sts,
            self.sagemaker,
            self.runtime,
            CloudWatch(self.site, self.world.metrics, self.world.alarms),
            scaling,
            self.iam,
            self.cloudformation,
            Logs(self.site, streams, groups),
            ssm,
            ServiceQuotas(self.site, emulated.faults.instance_quota),
            Tagging(
                (
                    self.s3.tagged,
                    self.sqs.tagged,
                    self.sns.tagged,
                    lambda: self.sagemaker.tags,
                    alarms.tagged,
                    scaling.tagged,
                    ssm.tagged,
                )
            ),
        )
        for service in self.services:
            self.front.add(service)
        self._server = HttpServer()
        if scenario is not None:
            self._adopt_embedded(scenario.target)

    @property
    def url(self) -> str:
        """Where clients reach it; empty until it was started."""
        return self.site.url

    async def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1; the endpoint URL.

        Raises:
            OSError: the port is taken.
        """
        await self._server.start(self.front.answer, port)
        self.site.url = f"http://127.0.0.1:{self._server.port}"
        return self.site.url

    def go(self, clock: Clock) -> None:
        """Let scenario time run by this clock."""
        self.driver.go(clock)

    def write_truth(self, path: Path) -> None:
        """What happened up to now, as `truth.parquet`."""
        self.driver.advance()
        self.truth.write(path)

    async def stop(self) -> None:
        """Close every connection; scenario time stops."""
        self.driver.stop()
        await self._server.stop()
        if self._jobs is not None:
            self._jobs.close()

    def _adopt_embedded(self, target: Target) -> None:
        """The scenario's endpoint as SageMaker would describe it, with its bucket and topics."""
        self.s3.create_bucket(BUCKET)
        config: dict[str, Any] = {"EndpointConfigName": EMBEDDED, "ProductionVariants": [_embedded_variant(target)]}
        if not target.is_synchronous:
            success, error = self.sns.create(SUCCESS_TOPIC), self.sns.create(ERROR_TOPIC)
            config["AsyncInferenceConfig"] = _embedded_async_config(target.emulated, success, error)
        self.sagemaker.keep_model({"ModelName": EMBEDDED, "PrimaryContainer": {"Image": "smbench/emulated"}})
        kept = self.sagemaker.keep_config(config)
        world = self.world
        self.hosting.adopt(EMBEDDED, kept, world.serverless.get(EMBEDDED) or world.endpoints[EMBEDDED])


def _embedded_variant(target: Target) -> dict[str, Any]:
    variant = {"VariantName": VARIANT, "ModelName": EMBEDDED, "InitialVariantWeight": 1.0}
    if target.kind != "serverless":
        return variant | {
            "InstanceType": "ml.m5.xlarge",
            "InitialInstanceCount": target.emulated.instances.at_start,
        }
    wanted = target.emulated.serverless
    config = {"MemorySizeInMB": wanted.memory, "MaxConcurrency": wanted.max_concurrency}
    if wanted.provisioned:
        config["ProvisionedConcurrency"] = wanted.provisioned
    return variant | {"ServerlessConfig": config}


def _embedded_async_config(emulated: Emulated, success_topic: str, error_topic: str) -> dict[str, Any]:
    return {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": emulated.instances.concurrency},
        "OutputConfig": {
            "S3OutputPath": f"s3://{BUCKET}/async-outputs",
            "S3FailurePath": f"s3://{BUCKET}/async-failures",
            "NotificationConfig": {"SuccessTopic": success_topic, "ErrorTopic": error_topic},
        },
    }
