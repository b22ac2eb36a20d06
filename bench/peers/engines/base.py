"""What the worker needs of an engine. Arrays cross this boundary in the ONNX layout, channels first."""

import importlib.metadata
import importlib.util
import pathlib
import subprocess

import numpy as np


class Unsupported(Exception):
    """The engine, its converter or our writer for it cannot express a model; the text says what."""


class Engine:
    """Life: made (imports the library), convert in one process; load, set_input, run, output in another."""

    package = None  # of PyPI

    def __init__(self, build):
        self.build = pathlib.Path(build)

    def convert(self, onnx_path, folder, kind):
        """Writes the engine's own files for element type `kind` into `folder`; Unsupported where it cannot."""
        raise NotImplementedError

    def load(self, folder, threads):
        """From files to ready to run: all that the first inference does not do itself."""
        raise NotImplementedError

    def set_input(self, image):
        """Not timed: float32 [1,C,H,W]."""
        raise NotImplementedError

    def run(self):
        """One inference: timed."""
        raise NotImplementedError

    def output(self):
        """Not timed: the first output as float32 in the ONNX layout."""
        raise NotImplementedError

    def version(self):
        return importlib.metadata.version(self.package)

    def library_files(self):
        """The files that a program with this engine has to ship, the C library and Python bindings apart if possible."""
        raise NotImplementedError

    def library_bytes(self):
        return sum(pathlib.Path(file).stat().st_size for file in self.library_files())


def float_model(onnx_path):
    """The float32 file beside the int8 one, for converters that quantise by themselves."""
    return onnx_path.with_name(onnx_path.name.replace("_int8", ""))


def calibration_images(shape):
    """Like the images with which bench/models/quantize.py finds the ranges."""
    rng = np.random.default_rng(11)
    return [rng.standard_normal(shape, dtype=np.float32) for _ in range(4)]


def linked_files(library, names):
    """What the library is linked to, of these names."""
    lines = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout.splitlines()
    return [pathlib.Path(line.split("=> ")[1].split()[0]).resolve() for line in lines if line.strip().startswith(names)]


def package_folder(module):
    return pathlib.Path(importlib.util.find_spec(module).origin).parent


def channels_first(array):
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array
