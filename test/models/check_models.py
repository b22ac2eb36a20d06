#!/usr/bin/env python3
"""Converts ONNX models and compares every output with onnxruntime's, on random and on real inputs.

The bound is an absolute error of at most 2e-5 of the reference output's range. Models with 3x3 convolutions are converted
three times: as the converter chooses, with all that can in F(4x4), which has the largest error bound, and without Winograd's
algorithm; the bound is the same for all. Quantised models (NAME_int8.onnx) are compared in steps of the output's scale with onnxruntime's
float operators between dequantize and quantize: 1 step on average. Prints one line per model and input and
ends with `N passed, M failed`. With --digests the outputs' digests must be the same at every level and thread count;
with --emulator also for the build behind it.
"""

import argparse
import hashlib
import pathlib
import shlex
import sys

import numpy as np
import onnx
import onnxruntime

from inputs import inputs_for
from tmcnn_tool import Tool

BOUND = 2e-5
WINOGRAD = ("auto", "4x4", "off")


def is_quantised(path):
    return path.stem.endswith("_int8")


def output_scales(path):
    """Of the DequantizeLinear nodes that make the outputs."""
    graph = onnx.load(path).graph
    constants = {c.name: c for c in graph.initializer}
    by_output = {node.output[0]: node for node in graph.node}
    return [float(onnx.numpy_helper.to_array(constants[by_output[o.name].input[1]])) for o in graph.output]


def check_steps(tool, session, path, tmc, array, label):
    wanted = session.run(None, {session.get_inputs()[0].name: array})
    distances = [np.abs(g - w) / s for g, w, s in zip(tool.run(tmc, [array], len(wanted)), wanted, output_scales(path))]
    verdict = all(g.shape == w.shape for g, w in zip(distances, wanted)) and max(d.mean() for d in distances) <= 1
    changed = np.mean([float((d > 0.5).mean()) for d in distances])
    print(f"{'ok' if verdict else 'FAILED':6}  {label:40} mean {max(d.mean() for d in distances):.4f} most {max(d.max() for d in distances):.0f} steps, "
          f"{100 * changed:.1f} % differ", flush=True)
    return verdict


def reference_session(path):
    options = onnxruntime.SessionOptions()
    if is_quantised(path):  # its kernels saturate in 16 bits on CPUs without VNNI
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def input_shape(session):
    """Symbolic dimensions are 1, as the converter takes them."""
    return [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]


def relative_error(got, want):
    if got.shape != want.shape:
        return float("inf")
    if want.dtype.kind in "biu":
        return 0.0 if (got == want).all() else float("inf")
    spread = float(want.max() - want.min()) or float(np.abs(want).max()) or 1.0
    worst = float(np.abs(got.astype(np.float64) - want.astype(np.float64)).max()) / spread
    return worst if np.isfinite(got).all() == np.isfinite(want).all() else float("inf")


def check_outputs(tool, session, tmc, arrays, label):
    wanted = session.run(None, {session.get_inputs()[0].name: arrays})
    worst = max(map(relative_error, tool.run(tmc, [arrays], len(wanted)), wanted))
    verdict = "ok" if worst <= BOUND else "FAILED"
    print(f"{verdict:6}  {label:40} relative error {worst:.2e}", flush=True)
    return worst <= BOUND


def check_digests(tools, tmc, array, label, levels):
    """`tools` maps a name to (Tool, levels it has)."""
    seen = {}
    for name, tool in tools.items():
        for level in levels[name]:
            for threads in (1, 2, 4):
                options = ["--isa", level, "--threads", str(threads)]
                seen[f"{name}/{level}/{threads}"] = tuple(tool.digests(tmc, [array], options))
    same = len(set(seen.values())) == 1
    print(f"{'ok' if same else 'FAILED':6}  {label:40} digests of {', '.join(seen)}" if same else f"FAILED  {label} {seen}",
          flush=True)
    return same


def levels_here():
    """The bit-identical levels of this computer."""
    features = pathlib.Path("/proc/cpuinfo").read_text().split()
    return ",".join(["ref"] + ["avx2"] * ("avx2" in features) + ["avx512"] * ("avx512dq" in features))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="ONNX files or folders of them")
    parser.add_argument("--tmcnn", default="build/tmcnn")
    parser.add_argument("--shared", default="../shared", help="folder with data/ (pictures are skipped if absent)")
    parser.add_argument("--i8", choices=("on", "off"), default="on", help="as tmcnn convert")
    parser.add_argument("--digests", action="store_true")
    parser.add_argument("--levels", default=levels_here(), help="levels of --tmcnn for --digests (default: %(default)s)")
    parser.add_argument("--emulator", help="command of another build, for --digests: 'qemu-aarch64 ... tmcnn'")
    parser.add_argument("--emulator-levels", default="neon")
    args = parser.parse_args()

    paths = [p for m in map(pathlib.Path, args.models) for p in (sorted(m.glob("**/*.onnx")) if m.is_dir() else [m])]
    tool = Tool(shlex.split(args.tmcnn))
    tools, levels = {"host": tool}, {"host": args.levels.split(",")}
    if args.emulator:
        tools["emulated"], levels["emulated"] = Tool(shlex.split(args.emulator)), args.emulator_levels.split(",")
    results = []
    for path in paths:
        tmc = tool.path(path.stem + ".tmc")
        seen = set()
        try:
            session = reference_session(path)
            inputs = inputs_for(path.stem, input_shape(session), args.shared)
            for choice in WINOGRAD:
                tool.convert(path, tmc, "--winograd", choice, "--i8", args.i8)
                digest = hashlib.sha256(pathlib.Path(tmc).read_bytes()).hexdigest()
                if digest in seen:
                    continue
                label = path.stem if not seen else f"{path.stem} --winograd {choice}"
                seen.add(digest)
                for name, array in inputs:
                    if is_quantised(path):
                        results.append(check_steps(tool, session, path, tmc, array, f"{label} {name}"))
                        continue
                    results.append(check_outputs(tool, session, tmc, array, f"{label} {name}"))
                if args.digests:
                    results.append(check_digests(tools, tmc, inputs[-1][1], label, levels))
        except RuntimeError as error:
            print(f"FAILED  {path.stem}: {error}", flush=True)
            results.append(False)
        pathlib.Path(tmc).unlink(missing_ok=True)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
