"""The account's quotas that bind an endpoint: what it has and may grow to, against what SageMaker allows.

Quotas are matched by name: their codes differ between regions. What other endpoints take of a quota is not asked.
"""

from collections.abc import Mapping

from smbench.account.questions import Question, Seen
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.errors import TargetError
from smbench.findings import Verdict

_SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"
_INSTANCES = "Number of instances across active endpoints"
_RAISE = (
    "have the quota raised (Service Quotas, service Amazon SageMaker), or lower what the endpoint may take: at the "
    "quota SageMaker refuses more with ResourceLimitExceeded, and the scaling activity fails"
)


def quota_questions(clients: AwsClients, found: TargetFound) -> list[Question]:
    """What is asked of Service Quotas; a run can do without the answer."""
    names = binding_quotas(found)
    if not names:
        return []
    used, most = _taken(found)

    async def ask() -> Seen:
        try:
            allowed = await _allowed(clients, names)
        except TargetError as error:
            return Seen(f"they cannot be read: {error.message}", Verdict.UNKNOWN, error.advice)
        if not allowed:
            return Seen(f"Service Quotas lists none by the name {' or '.join(names)}")
        growth = f", and may have {most:,}" if most > used else ""
        whole = "; ".join(f"{name}: {value:,.0f} allowed" for name, value in allowed.items())
        seen = f"the endpoint has {used:,}{growth}; {whole}"
        if most > min(allowed.values()):
            return Seen(seen, Verdict.UNKNOWN, _RAISE)
        return Seen(f"{seen}, for all endpoints together")

    return [Question("quotas", "the account allows what the endpoint may grow to", ask)]


def binding_quotas(found: TargetFound) -> tuple[str, ...]:
    """The names of the quotas that bind an endpoint; none where its size is not known."""
    if found.kind == "serverless":
        return (_SERVERLESS,)
    if found.instance_type is None or found.instances_desired is None:
        return ()
    return f"{found.instance_type} for endpoint usage", _INSTANCES


def _taken(found: TargetFound) -> tuple[int, int]:
    """What the endpoint has of its quotas, and the most that it may have."""
    if found.kind == "serverless":
        most = int((found.serverless or {}).get("MaxConcurrency", 0))
        return most, most
    used = found.instances_desired or 0
    if not found.has_instances:
        return used, used
    return used, max(used, int((found.scalable_target or {}).get("MaxCapacity", used)))


async def _allowed(clients: AwsClients, names: tuple[str, ...]) -> Mapping[str, float]:
    """What the account may have, by the quota's name; a name that is not listed is left out."""
    allowed = dict[str, float]()
    with clients.explained("read the quotas of SageMaker (servicequotas:ListServiceQuotas)"):
        async for page in clients.quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota.get("QuotaName") in names and "Value" in quota:
                    allowed[quota["QuotaName"]] = quota["Value"]
            if len(allowed) == len(names):
                break
    return {name: allowed[name] for name in names if name in allowed}
