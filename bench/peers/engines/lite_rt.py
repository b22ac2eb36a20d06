"""LiteRT's interpreter with its XNNPACK delegate, which it applies by itself."""

from ai_edge_litert import interpreter

from engines.base import Engine, channels_first, package_folder


class LiteRt(Engine):
    package = "ai-edge-litert"

    def convert(self, onnx_path, folder, kind):
        import tflite_writer

        tflite_writer.write(onnx_path, folder / "model.tflite")

    def load(self, folder, threads):
        self.interpreter = interpreter.Interpreter(str(folder / "model.tflite"), num_threads=threads)
        self.interpreter.allocate_tensors()

    def set_input(self, image):
        index = self.interpreter.get_input_details()[0]["index"]
        self.interpreter.set_tensor(index, image.transpose(0, 2, 3, 1).copy())

    def run(self):
        self.interpreter.invoke()

    def output(self):
        return channels_first(self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"]))

    def library_files(self):
        folder = package_folder("ai_edge_litert")
        return [folder / "libpywrap_litert_common.so", folder / "_pywrap_litert_interpreter_wrapper.so"]
