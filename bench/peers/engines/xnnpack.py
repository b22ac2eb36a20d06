"""XNNPACK itself, Debian's package of 2022, through xnnpack_runner.c."""

import ctypes
import subprocess

import numpy as np

from engines.base import Engine, channels_first, linked_files


class Xnnpack(Engine):
    def __init__(self, build):
        super().__init__(build)
        self.library = ctypes.CDLL(str(self.build / "bench" / "xnnpack_runner.so"))
        for name in ("xr_input", "xr_output"):
            function = getattr(self.library, name)
            function.restype = ctypes.POINTER(ctypes.c_float)
            function.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t)]
        self.library.xr_run.argtypes = [ctypes.c_void_p]

    def convert(self, onnx_path, folder, kind):
        import xnnpack_writer

        xnnpack_writer.write(onnx_path, folder / "model.xnn")

    def load(self, folder, threads):
        self.handle = ctypes.c_void_p()
        message = ctypes.create_string_buffer(256)
        if self.library.xr_open(str(folder / "model.xnn").encode(), threads, ctypes.byref(self.handle), message):
            raise RuntimeError(message.value.decode())

    def array(self, function):
        dims, rank = (ctypes.c_size_t * 6)(), ctypes.c_size_t()
        data = getattr(self.library, function)(self.handle, dims, ctypes.byref(rank))
        return np.ctypeslib.as_array(data, tuple(dims[:rank.value]))

    def set_input(self, image):
        self.array("xr_input")[...] = image.transpose(0, 2, 3, 1)

    def run(self):
        if self.library.xr_run(self.handle):
            raise RuntimeError("xnn_invoke_runtime failed")

    def output(self):
        return channels_first(self.array("xr_output").copy())

    def version(self):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libxnnpack-dev"], capture_output=True, text=True)
        return done.stdout or "unknown"

    def library_files(self):
        """The runner itself is ours; XNNPACK and what it links are what a program would ship."""
        return linked_files(self.build / "bench" / "xnnpack_runner.so", ("libXNNPACK", "libpthreadpool", "libcpuinfo"))
