"""Builds small TFLite models for tests of the importer, with the schema that comes with LiteRT."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {"float32": schema.TensorType.FLOAT32, "float16": schema.TensorType.FLOAT16, "int32": schema.TensorType.INT32,
         "uint8": schema.TensorType.UINT8, "int64": schema.TensorType.INT64, "bool": schema.TensorType.BOOL,
         "int8": schema.TensorType.INT8, "int16": schema.TensorType.INT16, "float64": schema.TensorType.FLOAT64}


class Const:
    """An operand that the file holds."""

    def __init__(self, array, dtype=None, scale=None, zero=None, axis=0):
        self.array = np.asarray(array, dtype)
        self.quantization = None if scale is None else (np.atleast_1d(scale), np.atleast_1d(zero), axis)


def ints(*values):
    return Const(np.array(values, np.int32))


class Net:
    """One model with the inputs to run it on. Shapes of results are unknown until `declare` has been called."""

    def __init__(self, name):
        self.name = name
        self.inputs = []  # (tensor, array)
        self.optimised = False  # to be compared with LiteRT's optimised kernel instead of the reference
        self.like = None  # the model that LiteRT runs instead of this one
        self.refused = None  # text that the converter's refusal must hold
        self.model = schema.ModelT()
        self.model.version, self.model.operatorCodes, self.model.buffers = 3, [], [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.name, self.graph.tensors, self.graph.operators = "main", [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name, dtype, shape=None):
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = name, TYPES[np.dtype(dtype).name], 0
        tensor.shape = [] if shape is None else list(shape)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def input(self, array, signature=None):
        index = self.tensor(f"x{len(self.inputs)}", array.dtype, array.shape)
        self.graph.tensors[index].hasRank = True
        if signature:
            self.graph.tensors[index].shapeSignature = list(signature)
        self.inputs.append((index, array))
        self.graph.inputs.append(index)
        return index

    def constant(self, const):
        index = self.tensor(f"c{len(self.graph.tensors)}", const.array.dtype, const.array.shape)
        self.graph.tensors[index].hasRank = True
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(const.array.tobytes(), np.uint8)
        self.graph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        if const.quantization:
            self.quantize(index, *const.quantization)
        return index

    def quantize(self, index, scale, zero, axis=0):
        parameters = schema.QuantizationParametersT()
        parameters.scale, parameters.zeroPoint = [float(s) for s in scale], [int(z) for z in zero]
        parameters.quantizedDimension = axis
        self.graph.tensors[index].quantization = parameters

    def node(self, op, *operands, outputs=1, dtype=np.float32, options=None, version=1, custom=None, **fields):
        """Operands: tensors, Const, None where absent. `options` names the table of the schema; `fields` fill it."""
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = getattr(schema.BuiltinOperator, op), version
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode = custom
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs = [-1 if o is None else self.constant(o) if isinstance(o, Const) else o for o in operands]
        operator.outputs = [self.tensor(f"t{len(self.graph.tensors)}", dtype) for _ in range(outputs)]
        if options:
            operator.builtinOptions = getattr(schema, options + "T")()
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            for name, value in fields.items():
                if not hasattr(operator.builtinOptions, name):
                    raise AttributeError(f"{options}.{name}")
                setattr(operator.builtinOptions, name, value)
        self.graph.operators.append(operator)
        return operator.outputs[0] if outputs == 1 else operator.outputs

    def output(self, *tensors):
        self.graph.outputs = list(tensors)
        return self

    def declare(self, index, shape):
        self.graph.tensors[index].shape, self.graph.tensors[index].hasRank = list(shape), True

    def bytes(self):
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def arrays(self):
        return [array for _, array in self.inputs]


def single(name, op, *operands, **keywords):
    """A model of one operator. Arrays are inputs, Const constants, None absent."""
    net = Net(name)
    made = net.node(op, *[net.input(o) if isinstance(o, np.ndarray) else o for o in operands], **keywords)
    return net.output(*(made if isinstance(made, list) else [made]))


def refused(net, text):
    """The converter must refuse the model and say `text`."""
    net.refused = text
    return net
