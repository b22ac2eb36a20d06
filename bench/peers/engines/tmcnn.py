"""Ours, through the public C interface of the shared library, from the mapped file."""

import ctypes
import pathlib
import subprocess
import tempfile

import numpy as np

from engines.base import Engine, linked_files

MMAP = 1
CHANNELS_LAST = 1
OPTION_BYTES = 512  # more than any option struct will have: the library's defaults function says how much it uses


class ModelOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("flags", ctypes.c_uint32)]


class PlanOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("flags", ctypes.c_uint32), ("max_isa", ctypes.c_int),
                ("threads", ctypes.c_uint32)]


class TensorInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("layout", ctypes.c_int),
                ("rank", ctypes.c_int32), ("dims", ctypes.c_int32 * 6), ("dims_max", ctypes.c_int32 * 6), ("bytes", ctypes.c_size_t),
                ("scale", ctypes.c_float), ("zero_point", ctypes.c_int32)]


class Tmcnn(Engine):
    def __init__(self, build, isa=None):
        super().__init__(build)
        self.library = ctypes.CDLL(str(self.build / "libtmcnn.so"))
        self.library.tmc_status_name.restype = ctypes.c_char_p
        self.isa = ctypes.c_int(0)
        if isa:
            self.call("tmc_isa_from_name", isa.encode(), ctypes.byref(self.isa))
            if not self.library.tmc_isa_available(self.isa):
                raise ImportError(f"level {isa} is not available on this processor")

    def call(self, function, *arguments):
        status = getattr(self.library, function)(*arguments)
        if status:
            raise RuntimeError(f"{function}: {self.library.tmc_status_name(status).decode()}")

    def defaults(self, function, options_type):
        block = ctypes.create_string_buffer(OPTION_BYTES)
        getattr(self.library, function)(block)
        self.blocks = [*getattr(self, "blocks", []), block]
        return options_type.from_buffer(block)

    def convert(self, onnx_path, folder, kind):
        done = subprocess.run([self.build / "tmcnn", "convert", onnx_path, "-o", folder / "model.tmc"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])

    def load(self, folder, threads):
        model_options = self.defaults("tmc_model_options_init", ModelOptions)
        model_options.flags = MMAP
        plan_options = self.defaults("tmc_plan_options_init", PlanOptions)
        plan_options.max_isa, plan_options.threads = self.isa.value, threads
        model, plan, self.session = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self.call("tmc_model_open_file", str(folder / "model.tmc").encode(), ctypes.byref(model_options), ctypes.byref(model), None)
        self.call("tmc_plan_create", model, ctypes.byref(plan_options), ctypes.byref(plan), None)
        self.call("tmc_session_create", plan, None, ctypes.byref(self.session), None)

    def info(self, function):
        info = TensorInfo(struct_size=ctypes.sizeof(TensorInfo))
        self.call(function, self.session, 0, ctypes.byref(info))
        return info

    def set_input(self, image):
        info = self.info("tmc_session_input")
        data = np.ascontiguousarray(image.transpose(0, 2, 3, 1) if info.layout == CHANNELS_LAST else image)
        self.call("tmc_session_write_input", self.session, 0, data.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(data.nbytes), None)

    def run(self):
        status = self.library.tmc_session_run(self.session, None, None)
        if status:
            raise RuntimeError(f"tmc_session_run: {self.library.tmc_status_name(status).decode()}")

    def output(self):
        info = self.info("tmc_session_output")
        data = np.empty(tuple(info.dims[:info.rank]), np.float32)
        self.call("tmc_session_read_output", self.session, 0, data.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(data.nbytes), None)
        return data.transpose(0, 3, 1, 2) if info.layout == CHANNELS_LAST and data.ndim == 4 else data

    def version(self):
        number = self.library.tmc_version()
        return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"

    def library_files(self):
        library = (self.build / "libtmcnn.so").resolve()
        return [library, *linked_files(library, ("libpthreadpool", "libcpuinfo"))]

    def library_bytes(self):
        """As they are shipped: stripped, like the wheels' libraries."""
        with tempfile.TemporaryDirectory() as folder:
            stripped = [pathlib.Path(folder) / file.name for file in self.library_files()]
            for file, target in zip(self.library_files(), stripped):
                subprocess.run(["strip", "-o", target, file], check=True)
            return sum(target.stat().st_size for target in stripped)
