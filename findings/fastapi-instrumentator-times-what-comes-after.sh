#!/usr/bin/env bash
# prometheus-fastapi-instrumentator 8.1.0 counts the work after an answer as its latency; starlette-exporter 0.24.0 beside it does not.
#
# Guess: `http_request_duration_seconds` of "accepted, I shall do it later" is the time until the caller has its 202.
# Seen: the background tasks are in it: an answer that is sent at once and begins half a second of work has a latency of half a second, in both of its
#       histograms. OpenTelemetry's middleware (0.66b2) has both: its span ends with the answer, its `http.server.duration` with the work, so the trace and
#       the metric of one request contradict each other. The p99 of an asynchronous endpoint is then its service time, and a threshold on it asks
#       for faster work instead of faster answers.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check prometheus-fastapi-instrumentator==8.1.0 \
  starlette-exporter==0.24.0 fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1 prometheus-client==0.26.0 \
  opentelemetry-sdk==1.45.2 opentelemetry-instrumentation-asgi==0.66b2
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import time

from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from starlette_exporter import PrometheusMiddleware

WORK_S = 0.5


def service() -> FastAPI:
    app = FastAPI()

    @app.post("/jobs", status_code=202)
    def accept(later: BackgroundTasks) -> dict:
        later.add_task(time.sleep, WORK_S)
        return {}

    return app


def said(duration_s: float) -> str:
    return "with the work" if duration_s >= WORK_S else "without the work"


registry = CollectorRegistry()
instrumented = service()
Instrumentator(registry=registry).instrument(instrumented)
TestClient(instrumented).post("/jobs")
for name in ("http_request_duration_seconds", "http_request_duration_highr_seconds"):
    labels = {"handler": "/jobs", "method": "POST"} if "highr" not in name else {}
    print(f"prometheus-fastapi-instrumentator, {name}:", said(registry.get_sample_value(f"{name}_sum", labels)))

exported = service()
exported.add_middleware(PrometheusMiddleware)
TestClient(exported).post("/jobs")
labels = {"method": "POST", "path": "/jobs", "status_code": "202", "app_name": "starlette"}
print("starlette-exporter:", said(REGISTRY.get_sample_value("starlette_request_duration_seconds_sum", labels)))

reader, spans, tracers = InMemoryMetricReader(), InMemorySpanExporter(), TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
TestClient(OpenTelemetryMiddleware(service(), meter_provider=MeterProvider([reader]), tracer_provider=tracers)).post("/jobs")
(span,) = [one for one in spans.get_finished_spans() if one.kind is SpanKind.SERVER]
print("opentelemetry, span:", said((span.end_time - span.start_time) / 1e9))
(metric,) = [one for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics for one in scope.metrics
             if one.name == "http.server.duration"]
print("opentelemetry, http.server.duration:", said(metric.data.data_points[0].sum / 1000))
PY
cat > "$tmp/expected" <<'TXT'
prometheus-fastapi-instrumentator, http_request_duration_seconds: with the work
prometheus-fastapi-instrumentator, http_request_duration_highr_seconds: with the work
starlette-exporter: without the work
opentelemetry, span: without the work
opentelemetry, http.server.duration: with the work
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
