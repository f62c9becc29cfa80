"""The emulated Service Quotas: the quotas that the scenario sets, under the names by which SageMaker has them."""

from typing import Any
from zlib import crc32

from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site

_SERVICE = "sagemaker"
_PAGE = 100
_INSTANCES = {  # of any type: the scenario has one quota for all of them, and SageMaker's refusal names the type's
    "Number of instances across active endpoints": "L-7A3DF611",
    "ml.m5.xlarge for endpoint usage": f"L-{crc32(b'ml.m5.xlarge for endpoint usage'):08X}",  # AWS's is not known
}


class ServiceQuotas:
    """ListServiceQuotas and GetServiceQuota of SageMaker.

    Args:
        instances: Instances that the account may have; None: any number, and no quota of them is listed.
    """

    service = "servicequotas"

    def __init__(self, site: Site, instances: int | None) -> None:
        self._quotas = [] if instances is None else [_quota(site, *one, instances) for one in _INSTANCES.items()]
        self.operations: dict[str, Operation] = {
            "ListServiceQuotas": self._list_service_quotas,
            "GetServiceQuota": self._get_service_quota,
        }

    def _list_service_quotas(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        found = self._of_account(params["ServiceCode"], params.get("QuotaAppliedAtLevel", "ACCOUNT"))
        if (code := params.get("QuotaCode")) is not None:
            found = [one for one in found if one["QuotaCode"] == code]
        try:
            shown, token = page(found, params.get("NextToken"), params.get("MaxResults", _PAGE))
        except TokenError:
            raise ServiceError("InvalidPaginationTokenException", "The pagination token is not valid.") from None
        return {"Quotas": shown} | ({} if token is None else {"NextToken": token})

    def _get_service_quota(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        if "ContextId" in params:
            raise beyond("have quotas of single resources (ContextId)")
        for one in self._of_account(params["ServiceCode"], "ACCOUNT"):
            if one["QuotaCode"] == params["QuotaCode"]:
                return {"Quota": one}
        raise _unknown()

    def _of_account(self, service: str, level: str) -> list[dict[str, Any]]:
        if service != _SERVICE:
            raise _unknown()
        return [] if level == "RESOURCE" else self._quotas


def _quota(site: Site, name: str, code: str, value: int) -> dict[str, Any]:
    return {
        "ServiceCode": _SERVICE,
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": site.arn("servicequotas", f"{_SERVICE}/{code}"),
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def _unknown() -> ServiceError:
    return ServiceError("NoSuchResourceException", "The request failed because the specified service does not exist.")
