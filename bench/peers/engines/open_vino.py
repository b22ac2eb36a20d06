"""OpenVINO, CPU plugin: latency hint, one stream, float32 arithmetic, weights kept as float32 in its own format."""

import openvino

from engines.base import Engine, package_folder


class OpenVino(Engine):
    package = "openvino"

    def convert(self, onnx_path, folder, kind):
        openvino.save_model(openvino.convert_model(str(onnx_path)), str(folder / "model.xml"), compress_to_fp16=False)

    def load(self, folder, threads):
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
                    "INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.Core().compile_model(str(folder / "model.xml"), "CPU", settings)
        self.request = compiled.create_infer_request()

    def set_input(self, image):
        self.request.set_input_tensor(openvino.Tensor(image, shared_memory=True))

    def run(self):
        self.request.start_async()
        self.request.wait()

    def output(self):
        return self.request.get_output_tensor().data.copy()

    def library_files(self):
        needed = ("libopenvino.so", "libopenvino_intel_cpu_plugin", "libopenvino_ir_frontend", "libtbb.so", "libtbbmalloc.so",
                  "libhwloc")
        return [f for f in (package_folder("openvino") / "libs").iterdir() if f.name.startswith(needed)]
