#!/usr/bin/env python3
"""Times one model in tmcnn and in onnxruntime, in turn, each round in processes of their own, and prints ratios of medians.

Also prints what opening, verifying and planning cost as a part of one inference, mapped and from a private copy.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile

ORT_PROGRAM = """
import sys, time, statistics, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
value = session.get_inputs()[0]
array = numpy.random.default_rng(1).standard_normal([d if isinstance(d, int) else 1 for d in value.shape]).astype("f4")
session.run(None, {value.name: array})
times = []
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    session.run(None, {value.name: array})
    times.append(time.perf_counter() - start)
print(statistics.median(times) * 1e3)
"""


def output_of(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--tmcnn", default="build/tmcnn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=40, help="inferences per round")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tmc = f"{folder}/model.tmc"
        output_of(args.tmcnn, "convert", args.model, "-o", tmc)
        ours, theirs, private, mapped = [], [], [], []
        for _ in range(args.rounds):
            bench = lambda *more: json.loads(output_of(args.tmcnn, "bench", "--json", "--runs", args.runs, "--threads",
                                                       args.threads, *more, tmc))
            copied, shared = bench(), bench("--mmap")
            theirs.append(float(output_of(sys.executable, "-c", ORT_PROGRAM, args.model, args.threads, args.runs)))
            ours.append(copied["median_ms"])
            private.append(copied["open_ms"] + copied["plan_ms"])
            mapped.append(shared["open_ms"] + shared["plan_ms"])
    median = statistics.median
    print(f"tmcnn        {median(ours):8.3f} ms  ({min(ours):.3f} to {max(ours):.3f})")
    print(f"onnxruntime  {median(theirs):8.3f} ms  ({min(theirs):.3f} to {max(theirs):.3f})")
    print(f"ratio        {median([a / b for a, b in zip(ours, theirs)]):8.3f}")
    print(f"open, verify, plan, mapped        {median(mapped):7.3f} ms = {median(mapped) / median(ours):.2f} of an inference")
    print(f"open, verify, plan, private copy  {median(private):7.3f} ms = {median(private) / median(ours):.2f} of an inference")


if __name__ == "__main__":
    main()
