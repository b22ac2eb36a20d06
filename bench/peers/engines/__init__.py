"""The engines of the benchmark: one file and one class each."""

import importlib

# name in records: (module, class, arguments). Order is the order of a round.
ENGINES = {
    "tmcnn": ("tmcnn", "Tmcnn", {}),
    "tmcnn-avx2": ("tmcnn", "Tmcnn", {"isa": "avx2"}),
    "onnxruntime": ("onnx_runtime", "OnnxRuntime", {}),
    "openvino": ("open_vino", "OpenVino", {}),
    "litert": ("lite_rt", "LiteRt", {}),
    "ncnn": ("ncnn_net", "Ncnn", {}),
    "mnn": ("mnn_session", "Mnn", {}),
    "xnnpack": ("xnnpack", "Xnnpack", {}),
}
OURS = tuple(name for name in ENGINES if name.startswith("tmcnn"))
PEERS = tuple(name for name in ENGINES if name not in OURS)


def make_engine(name, build):
    """Imports the engine's library: ImportError or OSError where it is not installed."""
    module, class_name, arguments = ENGINES[name]
    return getattr(importlib.import_module(f"engines.{module}"), class_name)(build, **arguments)


def conversion_of(name):
    """Engines with the same answer read the same converted files."""
    return ENGINES[name][0]
