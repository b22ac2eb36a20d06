"""What is measured of one engine on one model, and the list of records that goes to disk."""

import datetime
import json
import math
import pathlib
import platform
import re
import statistics
import subprocess

# A conversion that changes the network must not be timed. int8: every engine rounds in its own way, see docs/benchmarks.
LARGEST_ERROR = {"fp32": 1e-2, "int8": 0.2}
TYPES = tuple(LARGEST_ERROR)
WRONG = "the output is wrong"
FIELDS = ("model", "type", "engine", "version", "threads", "busy", "status", "reason", "median_ms", "p90_ms", "min_ms", "create_ms",
          "first_ms", "import_ms", "peak_mib", "max_error", "library_mib", "runs", "round_medians_ms", "loading", "machine", "date",
          "commit")
MEASURED = ("median_ms", "p90_ms", "min_ms", "create_ms", "first_ms", "import_ms", "peak_mib", "max_error", "library_mib")


def machine():
    try:
        name = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    except (OSError, AttributeError):
        name = platform.machine()
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "") if hasattr(platform, "freedesktop_os_release") else ""
    import process

    return f"{name}, {len(process.available_cores())} cores, Linux {platform.release().split('-')[0]}, {system}"


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip()


def context():
    return {"machine": machine(), "date": datetime.date.today().isoformat(), "commit": commit()}


class Cell:
    """One engine on one model at one thread count, with or without a busy neighbour."""

    def __init__(self, model, kind, engine, threads, busy):
        self.key = {"model": model, "type": kind, "engine": engine, "threads": threads, "busy": busy}
        self.answers, self.loading, self.status, self.reason = [], {}, None, None

    def stop(self, status, reason):
        self.status, self.reason = status, reason

    def take(self, answer):
        for status in ("skipped", "failed"):
            if status in answer:
                return self.stop(status, answer[status])
        if not answer["max_error"] <= LARGEST_ERROR[self.key["type"]]:  # also NaN
            return self.stop("failed", f"{WRONG}: relative error {answer['max_error']:.3g}")
        self.answers.append(answer)

    def take_loading(self, mode, figures):
        self.loading.setdefault(mode, []).append(figures)

    def record(self, shared):
        record = dict.fromkeys(FIELDS)
        record.update(self.key, status=self.status or "ok", reason=self.reason, **shared)
        if self.status or not self.answers:
            return record
        samples = sorted(t for a in self.answers for t in a["samples_ms"])
        record.update(version=self.answers[0]["version"], runs=len(samples), median_ms=statistics.median(samples),
                      p90_ms=samples[math.ceil(len(samples) * 0.9) - 1], min_ms=samples[0],
                      round_medians_ms=[statistics.median(a["samples_ms"]) for a in self.answers],
                      max_error=max(a["max_error"] for a in self.answers))
        for name in ("create_ms", "first_ms", "import_ms", "peak_mib", "library_mib"):
            record[name] = statistics.median(a[name] for a in self.answers)
        if self.loading:
            record["loading"] = {mode: {key: statistics.median(f[key] for f in all_figures) for key in all_figures[0]}
                                 for mode, all_figures in self.loading.items()}
        return record


def write(path, cells, shared):
    """The whole list, in one step: a reader never sees half a file."""
    done = [cell.record(shared) for cell in cells if cell.status or cell.answers]
    part = pathlib.Path(f"{path}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(json.dumps(done, indent=1) + "\n")
    part.replace(path)
    return done
