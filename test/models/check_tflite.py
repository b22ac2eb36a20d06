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
# The same of int8 and uint8 models.
QUANTISED_MODELS = {
    "coral/mobilenet_v1_0.25_128_quant.tflite": (127.5, 127.5),
    "coral/mobilenet_v2_1.0_224_quant.tflite": (127.5, 127.5),
    "coral/deeplabv3_mnv2_dm05_pascal_quant.tflite": (127.5, 127.5),
    "mlperf-tiny/pretrainedResnet_quant.tflite": (0.0, 1.0),
    "mlperf-tiny/vww_96_int8.tflite": (0.0, 255.0),
    "mlperf-tiny/kws_ref_model.tflite": (0.0, 1.0),
    "tinyengine/vww.tflite": (127.5, 127.5),
    "tinyengine/detection.tflite": (127.5, 127.5),
    "tinyengine/mcunetv2_large.tflite": (127.5, 127.5),
}
REFUSED_MODELS = {
    "mediapipe/selfie_segmentation.tflite": "Convolution2DTransposeBias",
}
PICTURES = ("cat.bmp", "sunflower.bmp", "grace_hopper.bmp")


def report(verdict, label, detail):
    print(f"{'ok' if verdict else 'FAILED':6}  {label:86} {detail}", flush=True)
    return verdict


class Reference:
    def __init__(self, content, optimised=False, xnnpack=False):
        from ai_edge_litert.interpreter import OpResolverType
        self.content = content
        if xnnpack:
            self.open(OpResolverType.AUTO)
            return
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
    reference = Reference((net.like or net).bytes(), net.optimised)
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


# ---------------------------------------------------------------------------------------------------------- quantised

# Compared with the float model instead: LiteRT's kernels of the first two take the stored integers for the numbers, and that of the third
# counts positions in 1024ths of a pixel with a rounded ratio, which is up to 2 steps from the exact result (3 to 14 pixels).
AGAINST_FLOAT = {"NEG", "SUM", "RESIZE_BILINEAR"}
# And of these, which have two inputs or another output type, nothing is left to compare with.
NO_REFERENCE = {"FLOOR_DIV", "CAST"}


def steps(got, want, scale):
    """Distances in quantisation steps; uint8 lies moved by 128 in ours. Inf where type or shape differ."""
    if want.dtype == np.uint8 and got.dtype == np.int8:
        got = (got.view(np.uint8) ^ 0x80)
    if got.shape != want.shape or got.dtype != want.dtype:
        return np.array([np.inf])
    if want.dtype.kind == "f":
        return np.abs(got.astype(np.float64) - want) / (scale or 1.0)
    return np.abs(got.astype(np.int64) - want.astype(np.int64)).reshape(-1)


def moved(arrays):
    """As our file takes them."""
    return [(a ^ 0x80).view(np.int8) if a.dtype == np.uint8 else a for a in arrays]


def check_quantised(tool, net, unsigned, options):
    from tflite_quantise import Quantiser
    quantised = Quantiser(net, unsigned)
    content = quantised.bytes()
    if net.name.split()[0] in AGAINST_FLOAT:
        wanted = quantised.ideal()
    else:
        try:
            wanted = Reference(content, net.optimised).run(quantised.inputs)
        except (ValueError, RuntimeError):
            return None  # LiteRT has no such kernel for these numbers
    path, tmc = pathlib.Path(tool.path("case.tflite")), tool.path("case.tmc")
    path.write_bytes(content)
    tool.convert(path, tmc, *options)
    got = tool.run(tmc, moved(quantised.inputs), len(wanted))
    worst = max(float(steps(g, w, None).max()) for g, w in zip(got, wanted))
    nodes = [node["op"] for node in json.loads(tool.call("info", "--json", "--nodes", tmc))["nodes"]]
    return report(worst <= 1, quantised.name, f"{worst:g} steps  {' '.join(nodes)[:60]}")


def check_quantised_operators(tool, keep, options):
    from cases_tflite import cases
    results, without = [], 0
    for net in cases():
        if (keep and keep not in net.name) or net.refused or net.like or any(a.dtype != np.float32 for a in net.arrays()):
            continue
        if net.name.split()[0] in NO_REFERENCE:
            continue
        for unsigned in (False, True):
            try:
                verdict = check_quantised(tool, net, unsigned, options)
            except Exception as error:
                verdict = report(False, f"{net.name} unsigned {unsigned}", f"{type(error).__name__}: {error}".replace("\n", " | ")[-300:])
            results += [verdict] if verdict is not None else []
            without += verdict is None
    print(f"{without} cases without an integer kernel in LiteRT")
    return results


def quantised_input(detail, real):
    scale, zero = detail["quantization"]
    if detail["dtype"] == np.float32:
        return real.astype(np.float32)
    bounds = np.iinfo(detail["dtype"])
    return np.clip(np.rint(real / scale) + zero, bounds.min, bounds.max).astype(detail["dtype"])


def model_inputs(shared, detail, subtract, divide):
    shape = tuple(int(d) for d in detail["shape"])
    rng = np.random.default_rng(3)
    if len(shape) == 4 and shape[3] == 3:
        from PIL import Image
        files = [*sorted((shared / "coral").glob("*.bmp")), *sorted((shared / "coral").glob("*.jpg"))]
        for path in files:
            whole = Image.open(path).convert("RGB")
            width, height = whole.size
            for crop in range(4):  # the whole picture and three parts of it
                box = (0, 0, width, height) if crop == 0 else (width * (crop - 1) // 6, height * (crop - 1) // 6, width * (crop + 3) // 6, height * (crop + 3) // 6)
                picture = whole.crop(box).resize((shape[2], shape[1]), Image.BILINEAR)
                yield f"{path.stem} {crop}", quantised_input(detail, ((np.asarray(picture, np.float32) - subtract) / divide)[None])
    else:
        scale, zero = detail["quantization"]
        for i in range(32):
            walk = np.cumsum(rng.standard_normal(shape), axis=1) * 8
            yield f"noise {i}", quantised_input(detail, walk.astype(np.float32))


class Distance:
    """From LiteRT's reference kernels, in steps of the outputs. Many inputs below are no pictures that the models know, so their best
    classes lie close together and one step more or less in the last layers decides: XNNPACK, which rounds once as we do and not twice
    as the reference does, shows how much that is."""

    def __init__(self, scales):
        self.scales, self.same, self.total, self.distances, self.worst = scales, 0, 0, [], 0.0

    def add(self, got, wanted):
        for g, w, scale in zip(got, wanted, self.scales):
            if w.dtype == np.int64:  # classes of pixels
                self.same, self.total = self.same + int((g == w).sum()), self.total + w.size
                continue
            d = steps(g, w, scale)
            self.distances.append(float(d.mean()))
            self.worst = max(self.worst, float(d.max()))
            if w.ndim == 2:
                best = int(np.argmax(g.view(np.uint8) ^ 0x80 if w.dtype == np.uint8 and g.dtype == np.int8 else g))
                self.same, self.total = self.same + (best == int(np.argmax(w))), self.total + 1

    def mean(self):
        return float(np.mean(self.distances)) if self.distances else 0.0

    def __str__(self):
        top = f", top-1 {100 * self.same / self.total:.1f} % of {self.total}" if self.total else ""
        return f"mean {self.mean():.3f} most {self.worst:.0f} steps{top}"


def check_quantised_model(tool, path, shared, subtract, divide, options):
    tmc = tool.path("model.tmc")
    reference = Reference(path.read_bytes())
    tool.convert(path, tmc, *options)
    detail = reference.interpreter.get_input_details()[0]
    outputs = reference.interpreter.get_output_details()
    scales = [o["quantization"][0] or dequantised_scale(reference, o["index"]) for o in outputs]
    ours, theirs = Distance(scales), Distance(scales)
    xnnpack = Reference(path.read_bytes(), xnnpack=True)
    for _, array in model_inputs(shared, detail, subtract, divide):
        wanted = reference.run([array])
        ours.add(tool.run(tmc, moved([array]), len(wanted)), wanted)
        theirs.add(xnnpack.run([array]), wanted)
    nodes = [node["kernel"] if node.get("kernel") else node["op"] for node in json.loads(tool.call("info", "--json", "--nodes", tmc))["nodes"]]
    floats = sum(n.startswith("f32") for n in nodes)
    size = pathlib.Path(tmc).stat().st_size / path.stat().st_size
    fits = ours.mean() <= max(1.0, 1.1 * theirs.mean()) and ours.same >= min(0.99 * ours.total, theirs.same)
    return report(fits, f"{path.stem} {' '.join(options)}",
                  f"{ours}; XNNPACK {theirs}; {floats} of {len(nodes)} nodes in f32, {size:.2f} of the file")


def dequantised_scale(reference, index):
    """Of what a DEQUANTIZE at the end reads."""
    for operator in reference.interpreter._get_ops_details():
        if index in operator["outputs"] and operator["op_name"] == "DEQUANTIZE":
            details = {d["index"]: d for d in reference.interpreter.get_tensor_details()}
            return details[operator["inputs"][0]]["quantization"][0]
    return 1.0


def check_quantised_models(tool, shared, keep, options):
    results = []
    for name, (subtract, divide) in QUANTISED_MODELS.items():
        if (shared / name).exists() and (not keep or keep in name):
            results.append(check_quantised_model(tool, shared / name, shared, subtract, divide, options))
    return results


# ---------------------------------------------------------------------------------------------------------- models


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
    parser.add_argument("--part", choices=("float", "int8"), help="only one number type")
    parser.add_argument("--i8", choices=("on", "off"), default="on", help="as tmcnn convert")
    args = parser.parse_args()
    try:
        import ai_edge_litert  # noqa: F401
        import flatbuffers  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (test/models/requirements.txt)")
        return
    tool = Tool(shlex.split(args.tmcnn))
    shared = pathlib.Path(args.shared) / "data" / "general"
    results = []
    if args.part != "int8":
        print(f"bound: {BOUND:g} of the output's range")
        results += check_operators(tool, args.keep)
        results += [] if args.keep else check_models(tool, shared)
    if args.part != "float":
        print("bound: 1 quantisation step; whole models: 1 on average")
        options = ("--i8", args.i8)
        results += check_quantised_operators(tool, args.keep, options)
        results += check_quantised_models(tool, shared, args.keep, options)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
