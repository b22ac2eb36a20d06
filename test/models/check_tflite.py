#!/usr/bin/env python3
"""Converts TFLite models and compares their outputs with LiteRT's reference kernels: no delegate, no XNNPACK.

First models of one operator or a few (cases_tflite.py), then the public models below --shared: those in float32 or with
float16 weights on random and on real inputs, and all others must be refused with the expected reason. The bound is an
absolute error of at most 2e-5 of the reference output's range; integers must be equal. A converted model must not hold a
transposition that the source has not. Prints one line per case; ends with `N passed, M failed`. Without LiteRT or without
the data it says so and skips.
"""

import argparse
import json
import pathlib
import shlex
import sys

import numpy as np

from tmcnn_tool import Tool

BOUND = 2e-5

# Pictures as each model was trained on them: (subtracted, divided by).
FLOAT_MODELS = {
    "mlperf-tiny/pretrainedResnet.tflite": (0.0, 1.0),
    "mlperf-tiny/vww_96_float.tflite": (0.0, 255.0),
    "mediapipe/face_detection_short_range.tflite": (127.5, 127.5),
    "ultralight/version-RFB-320_without_postprocessing.tflite": (127.0, 128.0),
}
QUANTISED = "which comes with the quantised number type"
REFUSED_MODELS = {
    "coral/mobilenet_v1_0.25_128_quant.tflite": QUANTISED,
    "coral/mobilenet_v2_1.0_224_quant.tflite": QUANTISED,
    "coral/deeplabv3_mnv2_dm05_pascal_quant.tflite": QUANTISED,
    "mlperf-tiny/pretrainedResnet_quant.tflite": QUANTISED,
    "mlperf-tiny/vww_96_int8.tflite": QUANTISED,
    "mlperf-tiny/kws_ref_model.tflite": QUANTISED,
    "tinyengine/vww.tflite": QUANTISED,
    "tinyengine/detection.tflite": QUANTISED,
    "tinyengine/mcunetv2_large.tflite": QUANTISED,
    "mediapipe/selfie_segmentation.tflite": "Convolution2DTransposeBias",
}
PICTURES = ("cat.bmp", "sunflower.bmp", "grace_hopper.bmp")


def report(verdict, label, detail):
    print(f"{'ok' if verdict else 'FAILED':6}  {label:86} {detail}", flush=True)
    return verdict


class Reference:
    def __init__(self, content, optimised=False):
        from ai_edge_litert.interpreter import OpResolverType
        self.content = content
        try:
            self.open(OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if optimised else OpResolverType.BUILTIN_REF)
        except ValueError as error:  # some operators have one kernel only, which is registered as optimised
            if "Didn't find op" not in str(error):
                raise
            self.open(OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)

    def open(self, resolver):
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(model_content=self.content, num_threads=1, experimental_op_resolver_type=resolver)
        self.interpreter.allocate_tensors()

    def run(self, arrays):
        for detail, array in zip(self.interpreter.get_input_details(), arrays):
            self.interpreter.set_tensor(detail["index"], array)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(d["index"]) for d in self.interpreter.get_output_details()]

    def shapes(self):
        """Of the model's tensors, once it has run."""
        return {d["index"]: d["shape"] for d in self.interpreter.get_tensor_details()}


def relative_error(got, want):
    if got.shape != want.shape or got.dtype != want.dtype:
        return float("inf")
    if want.dtype.kind in "biu":
        return 0.0 if (got == want).all() else float("inf")
    if not np.isfinite(want).all() or not np.isfinite(got).all():
        return 0.0 if np.array_equal(got, want, equal_nan=True) else float("inf")
    spread = float(want.max() - want.min()) or float(np.abs(want).max()) or 1.0
    return float(np.abs(got.astype(np.float64) - want.astype(np.float64)).max()) / spread


def refusal(tool, path, tmc):
    """The converter's answer; None if it took the model."""
    try:
        tool.convert(path, tmc)
    except RuntimeError as error:
        return str(error)
    return None


def check_refused(tool, label, path, tmc, text):
    answer = refusal(tool, path, tmc)
    if answer is None:
        return report(False, label, f"accepted, expected a refusal with '{text}'")
    return report(text in answer, label, f"refused: {answer.splitlines()[-1].strip()[-110:]}")


def check_net(tool, net):
    path, tmc = pathlib.Path(tool.path("case.tflite")), tool.path("case.tmc")
    path.write_bytes(net.bytes())
    if net.refused:
        return [check_refused(tool, net.name, path, tmc, net.refused)]
    results = []
    reference = Reference(net.bytes(), net.optimised)
    wanted = reference.run(net.arrays())
    shapes = reference.shapes()
    for declared in (False, True):  # shapes of results unknown, then as they are
        if declared:
            for operator in net.graph.operators:
                for index in operator.outputs:
                    net.declare(index, shapes[index])
            path.write_bytes(net.bytes())
        tool.convert(path, tmc)
        got = tool.run(tmc, net.arrays(), len(wanted))
        worst = max(map(relative_error, got, wanted))
        detail = f"relative error {worst:.1e}"
        if worst == float("inf"):
            detail += f" got {[(g.dtype.name, g.shape) for g in got]} want {[(w.dtype.name, w.shape) for w in wanted]}"
        results.append(report(worst <= BOUND, f"{net.name}{' (shapes declared)' if declared else ''}", detail))
    return results


def check_operators(tool, keep):
    from cases_tflite import cases
    results = []
    for net in cases():
        if keep and keep not in net.name:
            continue
        try:
            results += check_net(tool, net)
        except Exception as error:  # also of the reference: one bad case must not hide the others
            results.append(report(False, net.name, f"{type(error).__name__}: {error}".replace("\n", " | ")[-300:]))
    return results


def pictures(shared, shape, subtract, divide):
    from PIL import Image
    for name in PICTURES:
        path = shared / "coral" / name
        if path.exists():
            picture = Image.open(path).convert("RGB").resize((int(shape[2]), int(shape[1])), Image.BILINEAR)
            yield path.stem, ((np.asarray(picture, np.float32) - subtract) / divide)[None]


def check_batch(tool, path, tmc, reference, shape):
    """A batch of 3, at conversion and at run time, where the model leaves the batch open."""
    details = reference.interpreter.get_input_details()[0]
    if details["shape_signature"][0] != -1:
        return []
    array = np.random.default_rng(2).random((3, *shape[1:])).astype(np.float32)
    reference.interpreter.resize_tensor_input(details["index"], array.shape)
    reference.interpreter.allocate_tensors()
    wanted = reference.run([array])
    option = ["--shape", f"{details['name']}={','.join(map(str, array.shape))}"]
    results = []
    for at, convert, run in (("conversion", option, []), ("run time", [], option)):
        tool.convert(path, tmc, *convert)
        worst = max(map(relative_error, tool.run(tmc, [array], len(wanted), run), wanted))
        results.append(report(worst <= BOUND, f"{path.stem} batch of 3 at {at}", f"relative error {worst:.1e}"))
    return results


def check_picture(tool, path, tmc, reference, shape, shared, subtract, divide):
    """A picture as `tmcnn run` reads it, with the values from metadata."""
    from PIL import Image
    source = shared / "coral" / PICTURES[0]
    if not source.exists():
        return []
    picture = Image.open(source).convert("RGB").resize((int(shape[2]), int(shape[1])), Image.BILINEAR)
    picture.save(tool.path("picture.png"))
    wanted = reference.run([((np.asarray(picture, np.float32) - subtract) / divide)[None]])
    tool.convert(path, tmc, "--meta", "preprocess.scale=1", "--meta", f"preprocess.mean={subtract}", "--meta", f"preprocess.std={divide}")
    tool.call("run", tmc, tool.path("picture.png"), "--output", tool.path("picture.npy"))
    worst = relative_error(np.load(tool.path("picture.npy")), wanted[0])
    return [report(worst <= BOUND, f"{path.stem} picture by tmcnn run", f"relative error {worst:.1e}")]


def check_model(tool, path, shared, subtract, divide):
    tmc = tool.path("model.tmc")
    reference = Reference(path.read_bytes())
    shape = reference.interpreter.get_input_details()[0]["shape"]
    noise = np.random.default_rng(1).random(shape).astype(np.float32) * 255
    inputs = [("random", (noise - subtract) / divide), *pictures(shared, shape, subtract, divide)]
    results = []
    for choice in ("auto", "off"):
        tool.convert(path, tmc, "--winograd", choice)
        for name, array in inputs:
            array = array.astype(np.float32)
            wanted = reference.run([array])
            worst = max(map(relative_error, tool.run(tmc, [array], len(wanted)), wanted))
            results.append(report(worst <= BOUND, f"{path.stem} {name} --winograd {choice}", f"relative error {worst:.1e}"))
    nodes = json.loads(tool.call("info", "--json", "--nodes", tmc))["nodes"]
    moved = [node["name"] for node in nodes if node["op"] == "transpose"]
    results.append(report(not moved, f"{path.stem} transpositions", f"{len(moved)} of {len(nodes)} nodes"))
    results += check_picture(tool, path, tmc, reference, shape, shared, subtract, divide)
    return results + check_batch(tool, path, tmc, reference, shape)


def check_models(tool, shared):
    results = []
    for name, (subtract, divide) in FLOAT_MODELS.items():
        if (shared / name).exists():
            results += check_model(tool, shared / name, shared, subtract, divide)
    for name, text in REFUSED_MODELS.items():
        if (shared / name).exists():
            results.append(check_refused(tool, pathlib.Path(name).stem, shared / name, tool.path("model.tmc"), text))
    if not results:
        print(f"skipped: no TFLite models below {shared}")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmcnn", default="build/tmcnn")
    parser.add_argument("--shared", default="../shared", help="folder with data/ (public models are skipped if absent)")
    parser.add_argument("--keep", help="only operators whose case holds this text")
    args = parser.parse_args()
    try:
        import ai_edge_litert  # noqa: F401
        import flatbuffers  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (test/models/requirements.txt)")
        return
    tool = Tool(shlex.split(args.tmcnn))
    print(f"bound: {BOUND:g} of the output's range")
    results = check_operators(tool, args.keep)
    if not args.keep:
        results += check_models(tool, pathlib.Path(args.shared) / "data" / "general")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
