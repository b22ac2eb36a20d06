#!/usr/bin/env python3
"""One engine, one process: worker.py JOB.json ANSWER.json. Started by run.py; the same for every engine.

A job converts a model, or measures it: {"action", "engine", "build", "folder", "type", ...}. The answer holds the
samples, or {"skipped": reason} or {"failed": reason}; a process that dies leaves none. What libraries print is ignored.
"""

import gc
import json
import pathlib
import re
import sys
import time

import numpy as np

from engines import make_engine
from engines.base import Unsupported

MAX_RUNS = 2000


def memory_mib(field):
    text = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+)", text, re.M).group(1)) / 1024


def reset_peak():
    """Without the right to, the peak is that of the process so far, which is the same: only imports went before."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def timed(function, *arguments):
    start = time.perf_counter_ns()
    result = function(*arguments)
    return result, (time.perf_counter_ns() - start) * 1e-6


def relative_error(output, reference):
    if output.shape != reference.shape:
        raise RuntimeError(f"the output has shape {output.shape}, the reference {reference.shape}")
    return float(np.abs(output.astype(np.float64) - reference).max() / np.abs(reference).max())


def time_runs(engine, seconds, min_runs):
    """At least min_runs, unless even they take ten times as long as asked."""
    engine.run()
    samples, start = [], time.monotonic()
    while len(samples) < MAX_RUNS:
        spent = time.monotonic() - start
        if (spent >= seconds and len(samples) >= min_runs) or (spent >= 10 * seconds and samples):
            break
        samples.append(timed(engine.run)[1])
    return samples


def available_engine(job):
    try:
        return make_engine(job["engine"], job["build"])
    except (ImportError, OSError) as reason:
        raise Unsupported(f"not available: {reason}") from reason


def convert(job):
    folder = pathlib.Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    available_engine(job).convert(pathlib.Path(job["onnx"]), folder, job["type"])
    return {}


def measure(job):
    image = np.load(job["input"])
    baseline = memory_mib("VmRSS")
    reset_peak()
    engine, import_ms = timed(available_engine, job)
    _, create_ms = timed(engine.load, pathlib.Path(job["folder"]), job["threads"])
    engine.set_input(image)
    gc.disable()
    _, first_ms = timed(engine.run)
    samples = time_runs(engine, job["seconds"], job["min_runs"])
    peak = memory_mib("VmHWM") - baseline
    error = relative_error(np.asarray(engine.output()), np.load(job["reference"]))
    return {"version": engine.version(), "library_mib": engine.library_bytes() / 2**20, "import_ms": import_ms,
            "create_ms": create_ms, "first_ms": first_ms, "samples_ms": samples, "peak_mib": peak, "max_error": error}


def main():
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    try:
        answer = {"convert": convert, "measure": measure}[job["action"]](job)
    except Unsupported as reason:
        answer = {"skipped": str(reason)}
    except Exception as reason:
        answer = {"failed": f"{type(reason).__name__}: {reason}"}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
