"""Writes a float32 or int8 .tflite file from the lowered graph, with the schema that comes with LiteRT.

int8: all between a first QUANTIZE and a last DEQUANTIZE, so that input and output are those of the float32 file.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from engines.base import Unsupported
from lower import INFINITY, Lowered

FUSED = {(-INFINITY, INFINITY): "NONE", (0.0, INFINITY): "RELU", (0.0, 6.0): "RELU6"}


def write(onnx_path, path):
    data = Writer(Lowered(onnx_path)).pack()
    with open(path, "wb") as file:
        file.write(data)


class Writer:
    def __init__(self, graph):
        self.graph = graph
        self.model = schema.ModelT()
        self.model.version, self.model.description = 3, graph.name
        self.model.operatorCodes, self.model.buffers = [], [schema.BufferT()]
        self.part = schema.SubGraphT()
        self.part.tensors, self.part.operators, self.tensors, self.codes = [], [], {}, {}
        self.part.inputs = [self.boundary(graph.input, "QUANTIZE")]
        for op in graph.ops:
            getattr(self, op.kind)(op)
        self.part.outputs = [self.boundary(graph.output, "DEQUANTIZE")]
        self.model.subgraphs = [self.part]

    def pack(self):
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return builder.Output()

    # ----------------------------------------------------------------------------------------------------- tensors

    def tensor(self, name):
        """Index of a value of the lowered graph."""
        if name in self.graph.constants:
            return self.data(self.graph.constants[name], self.graph.quantization.get(name, (None,))[0])
        if name not in self.tensors:
            self.tensors[name] = self.value(name, (1, *self.graph.shape[name]), self.graph.quantization.get(name))
        return self.tensors[name]

    def boundary(self, name, operator):
        """The input or output: float32, with a conversion to or from the tensor of an int8 graph."""
        inner = self.tensor(name)
        if name not in self.graph.quantization:
            return inner
        outer = self.value(f"{name}_float", (1, *self.graph.shape[name]))
        pair = [outer, inner] if operator == "QUANTIZE" else [inner, outer]
        self.operator(operator, [pair[0]], [pair[1]])
        return outer

    def value(self, name, shape, quantization=None):
        """A new tensor without data: int8 with (scale, zero point), else float32."""
        if quantization is None:
            return self.new_tensor(name, shape, schema.TensorType.FLOAT32, 0)
        return self.new_tensor(name, shape, schema.TensorType.INT8, 0, *quantization)

    def new_tensor(self, name, shape, kind, buffer, scales=None, zero=0, axis=0):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, buffer
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(np.asarray(scales, np.float32))
            tensor.quantization.zeroPoint = np.full(tensor.quantization.scale.shape, zero, np.int64)
            tensor.quantization.quantizedDimension = axis
        self.part.tensors.append(tensor)
        return len(self.part.tensors) - 1

    def data(self, array, scales=None, axis=0):
        array = np.asarray(array)
        if array.dtype != np.int8:
            array = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        kind = {"f": schema.TensorType.FLOAT32, "i": schema.TensorType.INT32}[array.dtype.kind]
        kind = schema.TensorType.INT8 if array.dtype == np.int8 else kind
        return self.new_tensor(f"data{len(self.model.buffers)}", array.shape, kind, len(self.model.buffers) - 1, scales, 0, axis)

    def weights(self, op):
        """[weight, bias] of an operator."""
        if op.scales is None:
            return [self.data(op.weight), self.data(op.bias)]
        bias_scales = self.graph.quantization[op.inputs[0]][0] * op.scales.astype(np.float64)
        return [self.data(op.weight, op.scales, 3 if op.kind == "depthwise" else 0), self.data(op.bias, bias_scales)]

    # --------------------------------------------------------------------------------------------------- operators

    def operator(self, code, inputs, outputs, options=None, version=1, **fields):
        """`options` names the table of the schema; `fields` fill it."""
        key = (code, version)
        if key not in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.version = getattr(schema.BuiltinOperator, code), version
            entry.deprecatedBuiltinCode = min(entry.builtinCode, 127)
            self.codes[key] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(entry)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = self.codes[key], inputs, outputs
        if options:
            operator.builtinOptions = getattr(schema, options + "T")()
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            for name, value in fields.items():
                setattr(operator.builtinOptions, name, value)
        self.part.operators.append(operator)

    @staticmethod
    def activation(op):
        if op.clamp not in FUSED:
            raise Unsupported(f"clamp to {op.clamp}")
        return getattr(schema.ActivationFunctionType, FUSED[op.clamp])

    def padded(self, op):
        """(input tensor, padding scheme): an operator of its own pads where neither VALID nor SAME says the same."""
        name = op.inputs[0]
        height, width, channels = self.graph.shape[name]
        same = []
        for size, kernel, stride in zip((height, width), op.kernel, op.strides):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            same.append((total // 2, total - total // 2))
        if not any(op.pads):
            return self.tensor(name), schema.Padding.VALID
        top, left, bottom, right = op.pads
        if [(top, bottom), (left, right)] == same:
            return self.tensor(name), schema.Padding.SAME
        maker = self.graph.maker.get(name)
        quantization = self.graph.quantization.get(name)
        nonnegative = quantization[1] == -128 if quantization else maker and maker.clamp[0] >= 0
        if op.kind == "max_pool" and not nonnegative:
            raise Unsupported("zero padding of values that may be negative, before max pooling")
        pads = self.data(np.array([[0, 0], [top, bottom], [left, right], [0, 0]]))
        result = self.value(f"{name}_padded{len(self.part.tensors)}", (1, height + top + bottom, width + left + right, channels),
                            quantization)
        self.operator("PAD", [self.tensor(name), pads], [result], "PadOptions")
        return result, schema.Padding.VALID

    def outputs(self, op):
        return [self.tensor(name) for name in op.outputs]

    def conv(self, op):
        x, padding = self.padded(op)
        self.operator("CONV_2D", [x, *self.weights(op)], self.outputs(op), "Conv2DOptions",
                      padding=padding, strideH=op.strides[0], strideW=op.strides[1], fusedActivationFunction=self.activation(op))

    def depthwise(self, op):
        x, padding = self.padded(op)
        self.operator("DEPTHWISE_CONV_2D", [x, *self.weights(op)], self.outputs(op),
                      "DepthwiseConv2DOptions", padding=padding, strideH=op.strides[0], strideW=op.strides[1],
                      depthMultiplier=1, fusedActivationFunction=self.activation(op))

    def up_conv(self, op):
        shape = self.data(np.array([1, *self.graph.shape[op.outputs[0]]]))
        weight, bias = self.weights(op)
        inputs = [shape, weight, self.tensor(op.inputs[0]), bias]
        self.operator("TRANSPOSE_CONV", inputs, self.outputs(op), "TransposeConvOptions", version=3,
                      padding=schema.Padding.VALID, strideH=op.strides[0], strideW=op.strides[1],
                      fusedActivationFunction=self.activation(op))

    def dense(self, op):
        inputs = [self.tensor(op.inputs[0]), *self.weights(op)]
        self.operator("FULLY_CONNECTED", inputs, self.outputs(op), "FullyConnectedOptions",
                      fusedActivationFunction=self.activation(op))

    def pool(self, op, code):
        x, padding = self.padded(op)
        self.operator(code, [x], self.outputs(op), "Pool2DOptions", padding=padding, strideH=op.strides[0],
                      strideW=op.strides[1], filterHeight=op.kernel[0], filterWidth=op.kernel[1],
                      fusedActivationFunction=self.activation(op))

    def max_pool(self, op):
        self.pool(op, "MAX_POOL_2D")

    def average_pool(self, op):
        self.pool(op, "AVERAGE_POOL_2D")

    def binary(self, op, code, options):
        self.operator(code, [self.tensor(name) for name in op.inputs], self.outputs(op), options,
                      fusedActivationFunction=self.activation(op))

    def add(self, op):
        self.binary(op, "ADD", "AddOptions")

    def mul(self, op):
        self.binary(op, "MUL", "MulOptions")

    def clamp(self, op):
        self.operator({"RELU": "RELU", "RELU6": "RELU6"}[FUSED[op.clamp]], [self.tensor(op.inputs[0])], self.outputs(op))

    def hard_swish(self, op):
        self.operator("HARD_SWISH", [self.tensor(op.inputs[0])], self.outputs(op), "HardSwishOptions")

    def sigmoid(self, op):
        self.operator("LOGISTIC", [self.tensor(op.inputs[0])], self.outputs(op))

    def global_pool(self, op):
        self.operator("MEAN", [self.tensor(op.inputs[0]), self.data(np.array([1, 2]))], self.outputs(op), "ReducerOptions",
                      keepDims=True)

    def reshape_to(self, source, shape, target):
        self.operator("RESHAPE", [source, self.data(np.array(shape))], [target], "ReshapeOptions", newShape=list(shape))

    def reshape(self, op):
        self.reshape_to(self.tensor(op.inputs[0]), (1, *self.graph.shape[op.outputs[0]]), self.outputs(op)[0])

    def concat(self, op):
        inputs = [self.requantized(name, self.graph.quantization.get(op.outputs[0])) for name in op.inputs]
        self.operator("CONCATENATION", inputs, self.outputs(op), "ConcatenationOptions",
                      axis=3, fusedActivationFunction=schema.ActivationFunctionType.NONE)

    def requantized(self, name, quantization):
        """TFLite joins int8 tensors of one scale only."""
        if self.graph.quantization.get(name) == quantization:
            return self.tensor(name)
        result = self.value(f"{name}_requantized{len(self.part.tensors)}", (1, *self.graph.shape[name]), quantization)
        self.operator("QUANTIZE", [self.tensor(name)], [result])
        return result

    def split(self, op):
        axis = self.data(np.array(3))
        self.operator("SPLIT", [axis, self.tensor(op.inputs[0])], self.outputs(op), "SplitOptions", numSplits=len(op.outputs))

    def shuffle(self, op):
        height, width, channels = self.graph.shape[op.inputs[0]]
        wide, turned = (1, height, width, op.groups, channels // op.groups), (1, height, width, channels // op.groups, op.groups)
        middle = [self.value(f"{op.outputs[0]}_{i}", shape, self.graph.quantization.get(op.outputs[0]))
                  for i, shape in enumerate((wide, turned))]
        self.reshape_to(self.tensor(op.inputs[0]), wide, middle[0])
        self.operator("TRANSPOSE", [middle[0], self.data(np.array([0, 1, 2, 4, 3]))], [middle[1]], "TransposeOptions")
        self.reshape_to(middle[1], (1, height, width, channels), self.outputs(op)[0])
