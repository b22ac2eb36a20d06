"""A small builder of ONNX graphs with random weights, for timing and for whole-model tests.

Weights are drawn so that activations keep their variance (He et al. 2015): a network of any depth then has outputs of
ordinary size, and a comparison with another engine means something.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


class Graph:
    """Nodes are appended in order; tensors are known by name, with shapes [C, H, W] of a single image."""

    def __init__(self, name, size, channels=3, seed=1):
        self.name = name
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights = [], []
        self.shape = {"image": (channels, size, size)}
        self.input = "image"

    # ------------------------------------------------------------------------------------------------- primitives

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, shape, **attributes):
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.shape[name] = shape
        return name

    def activation(self, x, kind):
        if kind is None:
            return x
        shape = self.shape[x]
        if kind == "relu":
            return self.node("Relu", [x], shape)
        if kind == "relu6":
            low, high = self.constant(np.float32(0)), self.constant(np.float32(6))
            return self.node("Clip", [x, low, high], shape)
        if kind == "hard_swish":
            return self.node("HardSwish", [x], shape)
        if kind == "silu":
            return self.node("Mul", [x, self.node("Sigmoid", [x], shape)], shape)
        raise ValueError(kind)

    def batch_norm(self, x):
        channels = self.shape[x][0]
        scale = self.rng.uniform(0.8, 1.2, channels).astype(np.float32)
        shift = self.rng.uniform(-0.1, 0.1, channels).astype(np.float32)
        mean = self.rng.uniform(-0.1, 0.1, channels).astype(np.float32)
        variance = self.rng.uniform(0.8, 1.2, channels).astype(np.float32)
        parameters = [self.constant(a) for a in (scale, shift, mean, variance)]
        return self.node("BatchNormalization", [x, *parameters], self.shape[x], epsilon=1e-5)

    # ----------------------------------------------------------------------------------------------------- layers

    def conv(self, x, channels, kernel=1, stride=1, pads=None, act="relu", groups=1, norm=False):
        """pads: one number for all sides, (top, left, bottom, right), or None for kernel // 2."""
        c, h, w = self.shape[x]
        pads = kernel // 2 if pads is None else pads
        pads = (pads,) * 4 if isinstance(pads, int) else pads
        fan_in = c // groups * kernel * kernel
        gain = 2.0 if act else 1.0
        weight = self.rng.standard_normal((channels, c // groups, kernel, kernel), dtype=np.float32)
        inputs = [x, self.constant(weight * np.float32(np.sqrt(gain / fan_in)))]
        if not norm:
            inputs.append(self.constant(self.rng.uniform(-0.05, 0.05, channels).astype(np.float32)))
        shape = (channels, (h + pads[0] + pads[2] - kernel) // stride + 1, (w + pads[1] + pads[3] - kernel) // stride + 1)
        y = self.node("Conv", inputs, shape, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=list(pads), group=groups)
        return self.activation(self.batch_norm(y) if norm else y, act)

    def depthwise(self, x, kernel=3, stride=1, pads=None, act="relu", norm=False):
        channels = self.shape[x][0]
        return self.conv(x, channels, kernel, stride, pads, act, groups=channels, norm=norm)

    def same_depthwise(self, x, stride, act):
        """TensorFlow's SAME: for stride 2 and an even size the padding is at the end only."""
        return self.depthwise(x, 3, stride, (0, 0, 1, 1) if stride == 2 and self.shape[x][1] % 2 == 0 else 1, act)

    def up_conv(self, x, channels):
        c, h, w = self.shape[x]
        weight = self.rng.standard_normal((c, channels, 2, 2), dtype=np.float32) * np.float32(np.sqrt(1.0 / c))
        bias = self.constant(np.full(channels, 0.01, np.float32))
        return self.node("ConvTranspose", [x, self.constant(weight), bias], (channels, 2 * h, 2 * w),
                         kernel_shape=[2, 2], strides=[2, 2])

    def pool(self, x, kernel, stride, pad=0, op="MaxPool", ceil=False):
        c, h, w = self.shape[x]

        def out(size):
            span = size + 2 * pad - kernel
            return -(-span // stride) + 1 if ceil else span // stride + 1

        # The extra row of a rounded-up size is written as padding at the end: every engine agrees on that.
        extra = max((out(h) - 1) * stride + kernel - h - 2 * pad, 0)
        return self.node(op, [x], (c, out(h), out(w)), kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         pads=[pad, pad, pad + extra, pad + extra])

    def global_pool(self, x):
        return self.node("GlobalAveragePool", [x], (self.shape[x][0], 1, 1))

    def dense(self, x, outputs):
        c = self.shape[x][0]
        flat = self.node("Flatten", [x], (c,), axis=1)
        weight = self.rng.standard_normal((outputs, c), dtype=np.float32) * np.float32(np.sqrt(1.0 / c))
        bias = self.constant(self.rng.uniform(-0.05, 0.05, outputs).astype(np.float32))
        return self.node("Gemm", [flat, self.constant(weight), bias], (outputs,), transB=1)

    def add(self, a, b, act=None):
        return self.activation(self.node("Add", [a, b], self.shape[a]), act)

    def concat(self, parts):
        _, h, w = self.shape[parts[0]]
        return self.node("Concat", parts, (sum(self.shape[p][0] for p in parts), h, w), axis=1)

    def split_half(self, x):
        c, h, w = self.shape[x]
        names = [f"split{len(self.nodes)}_{i}" for i in range(2)]
        self.nodes.append(helper.make_node("Split", [x], names, name=names[0], axis=1))
        for name in names:
            self.shape[name] = (c // 2, h, w)
        return names

    def shuffle(self, x, groups):
        c, h, w = self.shape[x]
        wide = self.constant(np.array([1, groups, c // groups, h, w], np.int64))
        narrow = self.constant(np.array([1, c, h, w], np.int64))
        y = self.node("Reshape", [x, wide], None)
        y = self.node("Transpose", [y], None, perm=[0, 2, 1, 3, 4])
        return self.node("Reshape", [y, narrow], (c, h, w))

    def squeeze_excite(self, x, channels, act, gate):
        """Hu et al. 2018: a gate per channel from the pooled activations."""
        y = self.conv(self.global_pool(x), channels, 1, act=act)
        y = self.conv(y, self.shape[x][0], 1, act=None)
        if gate == "hard_sigmoid":
            y = self.node("HardSigmoid", [y], self.shape[y], alpha=1.0 / 6.0, beta=0.5)
        else:
            y = self.node("Sigmoid", [y], self.shape[y])
        return self.node("Mul", [x, y], self.shape[x])

    # ------------------------------------------------------------------------------------------------------- file

    def model(self, output):
        batch = lambda shape: [1, *shape]
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, batch(self.shape[self.input]))],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, batch(self.shape[output]))], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="libtmcnn bench")
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model
