#!/usr/bin/env python3
"""Converts models of one operator or a few and compares their outputs with onnxruntime's.

ONNX's own tests (`make conformance`) reach opset 17 and mostly give weights as inputs; here are the later opsets, constant
weights, broadcasts and paddings in all combinations, blocks that the converter rewrites, and models whose batch or image
size changes at run time. An output passes if |got - want| <= 1e-4 |want| + 1e-5 max|want| everywhere, and its shape and
type are equal; integers must be equal. Where onnxruntime lacks a kernel, ONNX's reference evaluator gives the answer.

Prints one line per case with the largest error as a part of its bound; ends with `N passed, M failed`.
"""

import argparse
import shlex
import sys

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

import cases_block
import cases_conv
import cases_dynamic
import cases_math
import cases_quantised
import cases_resize
import cases_shape
from tmcnn_tool import Tool

RELATIVE, ABSOLUTE = 1e-4, 1e-5
FAMILIES = (cases_conv, cases_math, cases_shape, cases_resize, cases_block, cases_dynamic, cases_quantised)


def reference(model, feeds, judge="onnxruntime"):
    """(who, outputs)"""
    if judge == "onnx":
        return judge, ReferenceEvaluator(model).run(None, feeds)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return "onnxruntime", session.run(None, feeds)
    except (ort_errors.NotImplemented, ort_errors.InvalidArgument, ort_errors.InvalidGraph, ort_errors.RuntimeException,
            ort_errors.Fail):
        return reference(model, feeds, "onnx")


def moved(array, to):
    """uint8 with a scale is int8 in our files, moved by 128."""
    if {array.dtype.name, to} != {"int8", "uint8"}:
        return array
    return (array.view(np.uint8) ^ 0x80).view(to)


def part_of_step(got, want, step):
    got = moved(got, want.dtype.name)
    if got.shape != want.shape or got.dtype != want.dtype:
        return float("inf")
    return float(np.abs(got.astype(np.float64) - want.astype(np.float64)).max()) / (1.001 * step)


def part_of_bound(got, want):
    """The largest error divided by its bound: at most 1 passes."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return float("inf")
    if want.dtype.kind in "biu":
        return 0.0 if (got == want).all() else float("inf")
    if not (np.isnan(got) == np.isnan(want)).all() or not (got[np.isinf(want)] == want[np.isinf(want)]).all():
        return float("inf")
    finite = np.isfinite(want)
    got, want = got[finite].astype(np.float64), want[finite].astype(np.float64)
    if not want.size:
        return 0.0
    bound = RELATIVE * np.abs(want) + ABSOLUTE * (np.abs(want).max() or 1.0)
    return float((np.abs(got - want) / bound).max()) if np.isfinite(got).all() else float("inf")


def report(verdict, label, detail):
    print(f"{'ok' if verdict else 'FAILED':6}  {label:60} {detail}", flush=True)
    return verdict


def check_refused(tool, net, onnx_path, tmc):
    try:
        tool.convert(onnx_path, tmc)
    except RuntimeError as error:
        return [report(net.refused in str(error), net.name, f"refused: {str(error).splitlines()[-1].strip()[-140:]}")]
    return [report(False, net.name, f"accepted, expected a refusal with '{net.refused}'")]


def check_run(tool, net, model, tmc, arrays):
    names = [name for name, _, _ in net.inputs]
    options = []
    for (name, _, dims), array in zip(net.inputs, arrays):
        if any(isinstance(d, str) for d in dims):
            options += ["--shape", f"{name}={','.join(map(str, array.shape))}"]
    who, wanted = reference(model, dict(zip(names, arrays)), net.judge)
    taken = [moved(a, i["dtype"].replace("i8", "int8").replace("u8", "uint8")) for a, i in zip(arrays, tool.info(tmc)["inputs"])]
    got = tool.run(tmc, taken, len(wanted), options)
    worst = max(part_of_step(g, w, net.step) if net.step else part_of_bound(g, w) for g, w in zip(got, wanted))
    shapes = "" if not net.more_runs else " at " + " ".join(str(a.shape) for a in arrays)
    detail = f"{worst:.3f} of the bound ({who})"
    if worst == float("inf"):
        detail += f" got {[(g.dtype.name, g.shape) for g in got]} want {[(w.dtype.name, w.shape) for w in wanted]}"
    return report(worst <= 1.0, net.name + shapes, detail)


def check(tool, net):
    model = net.model()
    onnx_path, tmc = tool.path("case.onnx"), tool.path("case.tmc")
    onnx.save(model, onnx_path)
    if net.refused:
        return check_refused(tool, net, onnx_path, tmc)
    shapes = [f"{name}={','.join(map(str, a.shape))}" for name, a, dims in net.inputs if any(isinstance(d, str) for d in dims)]
    try:
        tool.convert(onnx_path, tmc, *(word for s in shapes for word in ("--shape", s)), *tool.options)
        return [check_run(tool, net, model, tmc, arrays) for arrays in [net.arrays(), *net.more_runs]]
    except Exception as error:  # also of the reference: one bad case must not hide the others
        return [report(False, net.name, f"{type(error).__name__}: {error}".replace("\n", " | ")[-400:])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmcnn", default="build/tmcnn")
    parser.add_argument("--keep", help="only cases whose name holds this text")
    parser.add_argument("--i8", choices=("on", "off"), default="on", help="as tmcnn convert")
    args = parser.parse_args()
    tool, results = Tool(shlex.split(args.tmcnn)), []
    tool.options = ("--i8", args.i8)
    print(f"bound: {RELATIVE:g} relative + {ABSOLUTE:g} of the largest value")
    for family in FAMILIES:
        for net in family.cases():
            if not args.keep or args.keep in net.name or args.keep == family.__name__:
                results += check(tool, net)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
