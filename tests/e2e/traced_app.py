"""An application that is instrumented with OpenTelemetry, for scenarios: `/fast`, and `/slow`, which waits in a span of its own.

Its own sampling keeps a quarter of the requests; those that come with a sampled `traceparent` are all kept. Every span
that is kept is appended as a line to the file that the environment variable TRACED_APP_SPANS names, and one line for each
request, kept or not.
"""

import json
import os
import threading
import time

from flask import Flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

OWN_SHARE = 0.25
LOCK = threading.Lock()


def record(**line):
    """Appends a line to the file."""
    with LOCK, open(os.environ["TRACED_APP_SPANS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


class FileExporter(SpanExporter):
    """Exports spans to the file."""

    def export(self, spans):
        """Appends each span."""
        for span in spans:
            record(kind="span", name=span.name, trace_id=f"{span.context.trace_id:032x}",
                   from_outside=bool(span.parent and span.parent.is_remote),
                   ms=round((span.end_time - span.start_time) / 1e6, 1))
        return SpanExportResult.SUCCESS


provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(OWN_SHARE)))
provider.add_span_processor(SimpleSpanProcessor(FileExporter()))
trace.set_tracer_provider(provider)
app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)


@app.after_request
def count(response):
    """One line for each request."""
    record(kind="request")
    return response


@app.get("/fast")
def fast():
    """Answers at once."""
    return "ok"


@app.get("/slow")
def slow():
    """Waits for something that only its trace tells of."""
    with trace.get_tracer("app").start_as_current_span("look up the stock"):
        time.sleep(0.12)
    return "ok"
