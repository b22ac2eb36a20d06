"""The answer of a network in float64, straight from the ONNX graph: what every engine's error is measured against.

Independent of the converters (it reads ONNX, channels first), and quick enough for networks of 12 GMAC: convolutions
are matrix products.
"""

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import numpy_helper


def evaluate(path, image):
    """The first output for one image [1,C,H,W]."""
    graph = onnx.load(path).graph
    values = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    values = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in values.items()}
    values[graph.input[0].name] = image.astype(np.float64)
    last_use = {name: i for i, node in enumerate(graph.node) for name in node.input}
    for i, node in enumerate(graph.node):
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        results = OPERATORS[node.op_type](attributes, *(values[name] for name in node.input))
        results = results if isinstance(results, list) else [results]
        values.update(zip(node.output, results))
        for name in node.input:
            if last_use[name] == i:
                values.pop(name, None)
    return values[graph.output[0].name]


def windows(x, attributes, fill):
    """[1,C,OH,OW,kh,kw]: every window of a padded plane, without a copy of its own."""
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    step_y, step_x = attributes.get("strides", (1, 1))
    return sliding_window_view(x, attributes["kernel_shape"], axis=(2, 3))[:, :, ::step_y, ::step_x]


def conv(attributes, x, weight, bias=0.0):
    view = windows(x, attributes, 0.0)[0]
    if attributes.get("group", 1) == 1:
        channels, height, width, *kernel = view.shape
        columns = view.transpose(0, 3, 4, 1, 2).reshape(channels * kernel[0] * kernel[1], height * width)
        y = (weight.reshape(len(weight), -1) @ columns).reshape(len(weight), height, width)
    else:
        y = np.einsum("chwyx,cyx->chw", view, weight[:, 0])
    return (y + np.reshape(bias, (-1, 1, 1)))[None]


def conv_transpose(attributes, x, weight, bias):
    """Windows that do not overlap: kernel and stride are equal."""
    y = np.einsum("chw,coyx->ohywx", x[0], weight, optimize=True)
    outputs, height, kernel_y, width, kernel_x = y.shape
    return (y.reshape(outputs, height * kernel_y, width * kernel_x) + bias[:, None, None])[None]


def quantize(attributes, x, scale, zero):
    limits = np.iinfo(zero.dtype)
    return np.clip(np.rint(x / scale) + zero, limits.min, limits.max)


def dequantize(attributes, x, scale, zero):
    shape = [1] * np.ndim(x)
    if np.ndim(scale):
        shape[attributes["axis"]] = -1
    return (x.astype(np.float64) - zero.reshape(shape)) * scale.reshape(shape)


def batch_norm(attributes, x, gamma, beta, mean, variance):
    column = lambda v: v[:, None, None]
    return (x - column(mean)) / np.sqrt(column(variance) + attributes["epsilon"]) * column(gamma) + column(beta)


def hard_sigmoid(attributes, x):
    return np.clip(attributes["alpha"] * x + attributes["beta"], 0, 1)


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "BatchNormalization": batch_norm,
    "Relu": lambda a, x: np.maximum(x, 0),
    "Clip": lambda a, x, low, high: np.clip(x, low, high),
    "HardSwish": lambda a, x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Sigmoid": lambda a, x: 1 / (1 + np.exp(-x)),
    "HardSigmoid": hard_sigmoid,
    "Add": lambda a, x, y: x + y,
    "Mul": lambda a, x, y: x * y,
    "MaxPool": lambda a, x: windows(x, a, -np.inf).max(axis=(4, 5)),
    "AveragePool": lambda a, x: windows(x, a, 0.0).mean(axis=(4, 5)),
    "GlobalAveragePool": lambda a, x: x.mean(axis=(2, 3), keepdims=True),
    "Flatten": lambda a, x: x.reshape(len(x), -1),
    "Gemm": lambda a, x, weight, bias: x @ weight.T + bias,
    "Concat": lambda a, *parts: np.concatenate(parts, axis=1),
    "Split": lambda a, x: np.split(x, 2, axis=1),
    "Reshape": lambda a, x, shape: x.reshape(shape),
    "Transpose": lambda a, x: x.transpose(a["perm"]),
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
}
