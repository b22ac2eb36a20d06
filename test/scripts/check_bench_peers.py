#!/usr/bin/env python3
"""Checks a list of records of bench-peers: check_bench_peers.py RECORDS.json

Every field is there and has its type; no engine failed; every output is near the float64 reference; and a wrong output
is never given a time, which is tried first.

fp32: within 1e-3. int8, of the reference of the quantised graph: within 8 steps of 256 for the engines that are given its
integers. Engines that quantise in their own way only have to pass the records' gate, and one that does not is listed.
"""

import json
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench" / "peers"))

import records
import report
from engines import ENGINES, OURS

BOUND = {"fp32": 1e-3, "int8": 8 / 127}  # the output's largest magnitude is some 127 steps
OWN_SCHEME = ("ncnn", "mnn")
TEXTS = ("model", "type", "engine", "machine", "date", "commit")


def answer(error):
    return {"version": "1", "library_mib": 1.0, "import_ms": 1.0, "create_ms": 1.0, "first_ms": 1.0, "samples_ms": [1.0, 3.0, 2.0],
            "peak_mib": 1.0, "max_error": error}


def cell(*answers, kind="fp32"):
    made = records.Cell("m", kind, "tmcnn", 1, False)
    for given in answers:
        made.take(given)
    return made.record({})


def check_gate():
    """The records' own rules, without a measurement."""
    problems = []
    good = cell(answer(1e-6), answer(1e-5))
    if (good["status"], good["median_ms"], good["p90_ms"], good["max_error"]) != ("ok", 2.0, 3.0, 1e-5):
        problems.append(f"a right output gives {good}")
    for kind, limit in records.LARGEST_ERROR.items():
        for error in (2 * limit, math.nan, math.inf):
            wrong = cell(answer(1e-6), answer(error), kind=kind)
            if wrong["status"] != "failed" or any(wrong[name] is not None for name in records.MEASURED):
                problems.append(f"an error of {error} is timed: {wrong}")
    skipped = cell({"skipped": "why"})
    if (skipped["status"], skipped["reason"], skipped["median_ms"]) != ("skipped", "why", None):
        problems.append(f"a skipped engine gives {skipped}")
    return problems


def check_gains():
    """int8 over fp32, and the lead over the fastest peer of the same type."""
    made = lambda kind, engine, ms: {"model": "m", "type": kind, "engine": engine, "threads": 1, "busy": False, "status": "ok",
                                     "median_ms": ms}
    results = report.Results([made("fp32", "tmcnn", 6.0), made("fp32", "litert", 9.0), made("int8", "tmcnn", 2.0),
                              made("int8", "litert", 5.0), made("int8", "openvino", 3.0)])
    setting = ("int8", 1, False)
    found = round(results.mean_gain(setting), 9), results.type_gain("m", setting, "openvino"), results.mean_lead(setting)
    return [] if found == (3.0, None, 1.5) else [f"gains and lead are {found}"]


def allowed(record):
    return record["status"] == "failed" and record["type"] == "int8" and record["engine"] in OWN_SCHEME and \
        record["reason"].startswith(records.WRONG)


def check_record(record):
    if set(record) != set(records.FIELDS):
        return f"fields differ: {sorted(set(record) ^ set(records.FIELDS))}"
    texts = all(isinstance(record[name], str) and record[name] for name in TEXTS)
    if not texts or record["engine"] not in ENGINES or record["type"] not in BOUND:
        return "a text is missing"
    if record["status"] != "ok":
        measured = [name for name in records.MEASURED if record[name] is not None]
        return f"{record['status']} with figures {measured}" if measured else "" if record["reason"] else "no reason"
    bad = [name for name in records.MEASURED if not isinstance(record[name], float) or not 0 <= record[name] < math.inf]
    if bad:
        return f"no figure in {bad}"
    if not record["min_ms"] <= record["median_ms"] <= record["p90_ms"] or record["runs"] < 1:
        return "minimum, median and 90th percentile are not in order"
    if record["engine"] == OURS[0] and not record["busy"] and set(record["loading"] or ()) != {"mapped", "private"}:
        return "no loading figures"
    own = record["type"] == "int8" and record["engine"] in OWN_SCHEME
    bound = records.LARGEST_ERROR[record["type"]] if own else BOUND[record["type"]]
    return "" if record["max_error"] <= bound else f"relative error {record['max_error']:.3g}, the bound is {bound:.3g}"


def main():
    found = json.loads(pathlib.Path(sys.argv[1]).read_text())
    problems = check_gate() + check_gains() + ([] if found else ["no records"])
    for record in found:
        problem = check_record(record)
        if not problem and record["status"] == "failed" and not allowed(record):
            problem = f"failed: {record['reason']}"
        if problem:
            problems.append(f"{record.get('engine')} on {record.get('model')}, {record.get('type')}: {problem}")
        elif allowed(record):
            print(f"{record['engine']} on {record['model']}, {record['type']}, in its own scheme: {record['reason']}")
    for problem in problems:
        print(f"FAILED: {problem}")
    ran = sum(record["status"] == "ok" for record in found)
    print(f"{len(found)} records, {ran} measured, {len(found) - ran} without a measurement, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
