"""Builds small ONNX models for tests of the importer."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def random(*shape, seed=None, scale=1.0):
    """Normal numbers, negative ones too; another array for each shape."""
    seed = sum((i + 1) * d for i, d in enumerate(shape)) if seed is None else seed
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


class Net:
    """One model with the inputs to run it on. Names are made up: x0, x1 for inputs, c0 for constants, t0 for results."""

    def __init__(self, name, opset=17):
        self.name = name
        self.opset = opset
        self.nodes, self.constants, self.outputs = [], [], []
        self.inputs = []  # (name, array, dims with symbols)
        self.refused = None  # text that the converter's refusal must hold
        self.judge = "onnxruntime"  # or "onnx", its reference evaluator
        self.step = None  # results may be so far from the reference's: a quantisation step
        self.result = None  # element type of the outputs where ONNX's shape inference does not know the operator
        self.more_runs = []  # lists of arrays of other shapes
        self._made = 0

    def input(self, array, dims=None):
        name = f"x{len(self.inputs)}"
        self.inputs.append((name, array, list(dims or array.shape)))
        return name

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, *inputs, outputs=1, **attributes):
        """Inputs are names, None where absent, or arrays, which become constants."""
        names = [self.constant(i) if isinstance(i, (np.ndarray, np.generic)) else i or "" for i in inputs]
        made = [f"t{self._made + i}" for i in range(outputs)]
        self._made += outputs
        self.nodes.append(helper.make_node(op, names, made, **attributes))
        return made[0] if outputs == 1 else made

    def output(self, *names):
        self.outputs = list(names)
        return self

    def ends(self, build):
        """The net whose output is what build(net) makes."""
        return self.output(build(self))

    def model(self):
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), d) for n, a, d in self.inputs],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in self.outputs], self.constants)
        version = 8 if self.opset < 19 else 10
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)], ir_version=version)
        self._type_outputs(model)
        return model

    def _type_outputs(self, model):
        inferred = onnx.shape_inference.infer_shapes(_without_outputs(model))
        types = {v.name: v.type.tensor_type.elem_type for v in inferred.graph.value_info}
        for value in model.graph.output:
            value.type.tensor_type.elem_type = types.get(value.name) or helper.np_dtype_to_tensor_dtype(np.dtype(self.result or np.float32))

    def arrays(self):
        return [array for _, array, _ in self.inputs]


def _without_outputs(model):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    return copy


def single(name, op, *operands, opset=17, outputs=1, **attributes):
    """A model of one node. Operands: arrays are inputs, Const(array) constants, None absent."""
    net = Net(name, opset)
    names = [net.constant(o.array) if isinstance(o, Const) else None if o is None else net.input(o) for o in operands]
    made = net.node(op, *names, outputs=outputs, **attributes)
    return net.output(*([made] if outputs == 1 else made))


class Const:
    def __init__(self, array):
        self.array = np.asarray(array)


def refused(net, text):
    """The converter must refuse the model and say `text`."""
    net.refused = text
    return net
