"""ONNX Runtime, CPU provider: every graph optimisation, input and output bound once."""

import shutil

import onnxruntime

from engines.base import Engine, package_folder


class OnnxRuntime(Engine):
    package = "onnxruntime"

    def convert(self, onnx_path, folder, kind):
        shutil.copyfile(onnx_path, folder / "model.onnx")

    def load(self, folder, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def set_input(self, image):
        self.binding = self.session.io_binding()
        self.binding.bind_cpu_input(self.session.get_inputs()[0].name, image)
        self.binding.bind_output(self.session.get_outputs()[0].name, "cpu")

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def output(self):
        return self.binding.copy_outputs_to_cpu()[0]

    def library_files(self):
        return (package_folder("onnxruntime") / "capi").glob("libonnxruntime.so*")
