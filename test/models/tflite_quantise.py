"""Makes an int8 or uint8 model of a float one: each tensor gets the scale and zero point of its values on the model's own
inputs, as TensorFlow's converter chooses them. int8: weights with a scale per channel; uint8: the older scheme, one scale and
a zero point of their own."""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

OP = schema.BuiltinOperator
TYPE = schema.TensorType

# Operators whose inputs and outputs must agree, because TFLite's kernels move integers.
SAME_SCALE = {OP.RESHAPE, OP.MAX_POOL_2D, OP.AVERAGE_POOL_2D, OP.PAD, OP.PADV2, OP.MIRROR_PAD, OP.RESIZE_BILINEAR, OP.RESIZE_NEAREST_NEIGHBOR,
              OP.TRANSPOSE, OP.SLICE, OP.STRIDED_SLICE, OP.SPLIT, OP.SPLIT_V, OP.GATHER, OP.SQUEEZE, OP.EXPAND_DIMS, OP.SPACE_TO_DEPTH,
              OP.DEPTH_TO_SPACE, OP.TILE, OP.PACK, OP.UNPACK, OP.CONCATENATION, OP.MAXIMUM, OP.MINIMUM, OP.REVERSE_V2, OP.BROADCAST_TO,
              OP.SPACE_TO_BATCH_ND, OP.BATCH_TO_SPACE_ND, OP.REDUCE_MAX, OP.REDUCE_MIN, OP.SELECT, OP.SELECT_V2}
# Outputs with a scale of their own, and the int8 zero point.
FIXED = {OP.LOGISTIC: (1 / 256, -128), OP.SOFTMAX: (1 / 256, -128), OP.TANH: (1 / 128, 0), OP.L2_NORMALIZATION: (1 / 128, 0),
         OP.LOG_SOFTMAX: (16 / 256, 127)}
# Slots of weights and bias, and the axis of the outputs.
WEIGHTS = {OP.CONV_2D: (1, 2, 0), OP.DEPTHWISE_CONV_2D: (1, 2, 3), OP.TRANSPOSE_CONV: (1, 3, 0), OP.FULLY_CONNECTED: (1, 2, None)}


def opened(content):
    for resolver in (OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        try:
            interpreter = Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=resolver,
                                      experimental_preserve_all_tensors=True)
            interpreter.allocate_tensors()
            return interpreter
        except ValueError as error:  # some operators have one kernel only, which is registered as optimised
            if "Didn't find op" not in str(error) or resolver != OpResolverType.BUILTIN_REF:
                raise


def float_values(content, arrays):
    interpreter = opened(content)
    for detail, array in zip(interpreter.get_input_details(), arrays):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return lambda index: interpreter.get_tensor(index)


def chosen(values, unsigned):
    lo, hi = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale = np.float32((hi - lo) / 255 or 1.0)
    return scale, int(np.clip(round(-lo / float(scale)), 0, 255)) - (0 if unsigned else 128)


def stored(values, scale, zero, unsigned):
    lo = 0 if unsigned else -128
    q = np.rint(values.astype(np.float64) / scale) + zero
    return np.clip(q, lo, lo + 255).astype(np.uint8 if unsigned else np.int8)


class Quantiser:
    def __init__(self, net, unsigned):
        self.unsigned = unsigned
        self.name = f"{net.name} {'uint8' if unsigned else 'int8'}"
        self.model = copy.deepcopy(net.model)
        self.graph = self.model.subgraphs[0]
        self.content = net.bytes()
        self.value = float_values(self.content, net.arrays())
        self.done = {}
        self.inputs = [self.activation(i, array) for i, array in net.inputs]
        for operator in self.graph.operators:
            self.operator(operator)

    def annotate(self, index, scales, zeros, dtype, axis=0):
        parameters = schema.QuantizationParametersT()
        parameters.scale, parameters.zeroPoint, parameters.quantizedDimension = [float(s) for s in scales], [int(z) for z in zeros], axis
        self.graph.tensors[index].quantization, self.graph.tensors[index].type = parameters, dtype
        self.done[index] = (scales, zeros)

    def set_data(self, index, array):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self.graph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)

    def tensor8(self, index, scale, zero):
        self.annotate(index, [scale], [zero], TYPE.UINT8 if self.unsigned else TYPE.INT8)

    def activation(self, index, array):
        if array.dtype != np.float32:
            return array
        scale, zero = chosen(array, self.unsigned)
        self.tensor8(index, scale, zero)
        return stored(array, scale, zero, self.unsigned)

    def is_float(self, index):
        return index >= 0 and self.graph.tensors[index].type == TYPE.FLOAT32 and index not in self.done

    def constant(self, index, like=None):
        array = self.value(index)
        scale, zero = like or chosen(array, self.unsigned)
        self.tensor8(index, scale, zero)
        self.set_data(index, stored(array, scale, zero, self.unsigned))

    def weights(self, index, axis):
        w = self.value(index)
        if self.unsigned:
            return self.constant(index)
        along = tuple(i for i in range(w.ndim) if i != axis)
        scales = np.atleast_1d(np.maximum(np.abs(w).max(axis=along if axis is not None else None), 1e-6) / 127).astype(np.float32)
        shape = [-1 if i == axis else 1 for i in range(w.ndim)]
        q = np.clip(np.rint(w / (scales.reshape(shape) if axis is not None else scales)), -127, 127).astype(np.int8)
        self.annotate(index, scales, [0] * len(scales), TYPE.INT8, axis or 0)
        self.set_data(index, q)

    def bias(self, index, x, w):
        scales = np.float32(self.done[x][0][0]) * np.asarray(self.done[w][0], np.float32)
        self.set_data(index, np.rint(self.value(index).reshape(-1) / scales).astype(np.int32))
        self.annotate(index, scales, [0] * len(scales), TYPE.INT32)

    def operator(self, operator):
        code = self.model.operatorCodes[operator.opcodeIndex].builtinCode
        weights, bias, axis = WEIGHTS.get(code, (None, None, None))
        x = operator.inputs[2 if code == OP.TRANSPOSE_CONV else 0]
        for slot, index in enumerate(operator.inputs):
            if not self.is_float(index):
                continue
            if slot == weights:
                self.weights(index, axis)
            elif slot == bias:
                self.bias(index, x, operator.inputs[weights])
            else:
                first = self.done.get(operator.inputs[0])
                self.constant(index, (first[0][0], first[1][0]) if code in SAME_SCALE and first else None)
        for index in operator.outputs:
            if not self.is_float(index):
                continue
            if code in SAME_SCALE:
                scales, zeros = self.done[next(i for i in operator.inputs if i in self.done)]
                self.tensor8(index, scales[0], zeros[0])
            elif code in FIXED:
                self.tensor8(index, FIXED[code][0], FIXED[code][1] + (128 if self.unsigned else 0))
            else:
                self.tensor8(index, *chosen(self.value(index), self.unsigned))

    def ideal(self):
        """What the float model makes of the quantised inputs, quantised. For operators without constants of their own."""
        real = [((a.astype(np.float32) - z[0]) * np.float32(s[0])) for a, (s, z) in zip(self.inputs, (self.done[i] for i in self.graph.inputs))]
        value = float_values(self.content, real)
        return [stored(value(i), self.done[i][0][0], self.done[i][1][0], self.unsigned) for i in self.graph.outputs]

    def bytes(self):
        import flatbuffers
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
