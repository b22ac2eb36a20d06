"""Quantised operators: QDQ, QLinear, those of com.microsoft, integers. Results may be one quantisation step from onnxruntime's."""

import itertools

import numpy as np

from net import Net, random, refused

NP = {"int8": np.int8, "uint8": np.uint8}


def parameters(x, dtype):
    """Scale and zero point of a tensor with these values."""
    lo, hi = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    scale = np.float32((hi - lo) / 255)
    return scale, NP[dtype](round(-lo / float(scale)) + (0 if dtype == "uint8" else -128))


def stored(x, scale, zero):
    info = np.iinfo(zero.dtype)
    return np.clip(np.rint(x / scale) + int(zero), info.min, info.max).astype(zero.dtype)


def qdq(net, name, scale, zero):
    q = net.node("QuantizeLinear", name, np.float32(scale), zero)
    return net.node("DequantizeLinear", q, np.float32(scale), zero)


def weights(net, w, axis):
    """Integers with a scale for each channel, dequantised."""
    along = tuple(i for i in range(w.ndim) if i != axis)
    scale = (np.abs(w).max(axis=along if axis is not None else None) / 127).astype(np.float32)
    shape = [-1 if i == axis else 1 for i in range(w.ndim)]
    q = np.clip(np.rint(w / (scale.reshape(shape) if axis is not None else scale)), -127, 127).astype(np.int8)
    return net.node("DequantizeLinear", q, scale, np.zeros(scale.shape, np.int8), axis=axis or 0), scale


def bias(net, b, x_scale, w_scale):
    scale = (x_scale * w_scale).astype(np.float32)
    return net.node("DequantizeLinear", np.rint(b / scale).astype(np.int32), scale, np.zeros(scale.shape, np.int32), axis=0)


def between(name, op, x, dtype, out_scale, extra=(), opset=13, y_zero=0, then=(), **attributes):
    """A float operator between dequantize and quantize."""
    net = Net(f"QDQ {name} {dtype}", opset)
    scale, zero = parameters(x, dtype)
    t = net.node(op, qdq(net, net.input(x), scale, zero), *extra, **attributes)
    for following, keywords in then:
        t = net.node(following, t, **keywords)
    net.step = out_scale
    return net.output(qdq(net, t, out_scale, NP[dtype](y_zero + (128 if dtype == "uint8" else 0))))


def convolution(name, op, x, w, axis, dtype, with_bias=True, **attributes):
    net = Net(f"QDQ {name} {dtype}", 13)
    x_scale, zero = parameters(x, dtype)
    t = qdq(net, net.input(x), x_scale, zero)
    real, w_scale = weights(net, w, axis)
    outputs = w.shape[0] if op == "Conv" else w.shape[1] * attributes.get("group", 1)
    operands = [t, real] + ([bias(net, random(outputs), x_scale, w_scale)] if with_bias else [])
    net.step = 0.05
    return net.output(qdq(net, net.node(op, *operands, **attributes), 0.05, NP[dtype](3)))


def products():
    x = random(2, 6, 9, 8)
    for dtype in NP:
        yield convolution("Conv per channel", "Conv", x, random(10, 6, 3, 3, scale=0.3), 0, dtype, pads=[1, 0, 1, 2])
        yield convolution("Conv one scale", "Conv", x, random(10, 6, 3, 3, scale=0.3), None, dtype, strides=[2, 1])
        yield convolution("Conv without bias", "Conv", x, random(10, 6, 1, 1, scale=0.3), 0, dtype, with_bias=False)
        yield convolution("Conv groups", "Conv", x, random(8, 3, 3, 3, scale=0.3), 0, dtype, group=2, pads=[1, 1, 1, 1])
        yield convolution("Conv depthwise", "Conv", x, random(6, 1, 3, 3, scale=0.5), 0, dtype, group=6, pads=[1, 1, 1, 1], strides=[2, 2])
        yield convolution("ConvTranspose one scale", "ConvTranspose", x, random(6, 5, 2, 2, scale=0.5), None, dtype, strides=[2, 2])
        yield convolution("ConvTranspose per channel", "ConvTranspose", x, random(6, 5, 3, 3, scale=0.5), 1, dtype, with_bias=False, strides=[2, 1])
        net = Net(f"QDQ Gemm, MatMul {dtype}", 13)
        a = random(5, 12)
        scale, zero = parameters(a, dtype)
        t = qdq(net, net.input(a), scale, zero)
        w, w_scale = weights(net, random(7, 12, scale=0.4), 0)
        t = qdq(net, net.node("Gemm", t, w, bias(net, random(7), scale, w_scale), transB=1), 0.05, NP[dtype](9))
        w, _ = weights(net, random(7, 4, scale=0.4), 1)
        net.step = 0.08
        yield net.output(qdq(net, net.node("MatMul", t, w), 0.04, NP[dtype](9)))


def elementwise():
    x = random(2, 6, 8, 8, scale=2)
    for dtype in NP:
        for op in ("Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Exp", "Softmax", "GlobalAveragePool", "Sqrt"):
            values = np.abs(x) if op == "Sqrt" else x
            scale = 1 / 128 if op in ("Sigmoid", "Tanh", "Softmax") else 0.06
            yield between(op, op, values, dtype, scale, opset=14)
        yield between("MaxPool", "MaxPool", x, dtype, 0.06, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        yield between("AveragePool", "AveragePool", x, dtype, 0.03, kernel_shape=[3, 3], pads=[1, 0, 1, 0])
        yield between("ReduceMean", "ReduceMean", x, dtype, 0.01, axes=[1, 3], keepdims=0)
        yield between("Clip", "Clip", x, dtype, 0.03, [np.float32(-1), np.float32(2.5)])
        yield between("Add a number, Relu", "Add", x, dtype, 0.06, [np.float32(1.5)], then=[("Relu", {})])
        yield between("Reshape, Transpose", "Reshape", x, dtype, 0.06, [np.array([2, 6, 64])], then=[("Transpose", {"perm": [0, 2, 1]})])
        for op in ("Add", "Sub", "Mul"):
            for b in (random(2, 6, 8, 8), random(6, 1, 1)):
                net = Net(f"QDQ {op} {dtype} {b.shape}", 13)
                t = qdq(net, net.input(x), *parameters(x, dtype))
                net.step = 0.07
                yield net.output(qdq(net, net.node(op, t, qdq(net, net.input(b), *parameters(b, dtype))), 0.07, NP[dtype](20)))
        net = Net(f"QDQ Concat of other scales {dtype}", 13)
        parts = [qdq(net, net.input(random(1, c, 4, 4, scale=c)), 0.02 * c, NP[dtype](c)) for c in (2, 3, 5)]
        net.step = 0.06
        yield net.output(qdq(net, net.node("Concat", *parts, axis=1), 0.06, NP[dtype](3)))
        net = Net(f"moves of stored integers {dtype}", 13)
        q = net.node("QuantizeLinear", net.input(x), np.float32(0.05), NP[dtype](7))
        q = net.node("Transpose", net.node("MaxPool", q, kernel_shape=[2, 2]), perm=[0, 2, 3, 1])
        q = net.node("Concat", q, net.node("Slice", q, np.array([1]), np.array([3]), np.array([1])), axis=1)
        net.step = 0.05
        yield net.output(net.node("DequantizeLinear", q, np.float32(0.05), NP[dtype](7)))
        net = Net(f"an output of stored integers {dtype}", 13)
        net.step = 1
        yield net.output(net.node("QuantizeLinear", net.input(x), np.float32(0.05), NP[dtype](7)))
        net = Net(f"an input of stored integers {dtype}", 13)
        net.step = 0.05
        yield net.output(net.node("Relu", net.node("DequantizeLinear", net.input(stored(x, 0.05, NP[dtype](7))), np.float32(0.05), NP[dtype](7))))


def qlinear():
    x = random(1, 6, 8, 8, scale=2)
    for dtype in NP:
        s, z = parameters(x, dtype)
        q, y = stored(x, s, z), (np.float32(0.08), NP[dtype](5))
        for name, scale in (("per channel", (random(4, seed=1)**2 + 0.1).astype(np.float32) / 100), ("one scale", np.float32(0.01))):
            net = Net(f"QLinearConv {name} {dtype}", 13)
            w = np.random.default_rng(2).integers(-127, 128, (4, 6, 3, 3)).astype(np.int8)
            zero = np.zeros(scale.shape, np.int8)
            b = np.random.default_rng(3).integers(-3000, 3000, 4).astype(np.int32)
            net.step = 1
            yield net.output(net.node("QLinearConv", net.input(q), s, z, w, scale, zero, *y, b, pads=[1, 1, 1, 1]))
        net = Net(f"QLinearMatMul {dtype}", 13)
        w = np.random.default_rng(2).integers(-100, 100, (8, 5)).astype(np.int8)
        net.step = 1
        yield net.output(net.node("QLinearMatMul", net.input(q), s, z, w, np.float32(0.02), np.int8(0), *y))
        for op in ("QLinearAdd", "QLinearMul"):
            net = Net(f"{op} {dtype}", 13)
            net.step, net.result = 1, NP[dtype]
            yield net.output(net.node(op, net.input(q), s, z, net.input(q[:, :, ::-1].copy()), np.float32(0.03), NP[dtype](9), *y, domain="com.microsoft"))
        for op, attributes in (("QLinearAveragePool", {"kernel_shape": [2, 3]}), ("QLinearGlobalAveragePool", {}), ("QLinearSigmoid", {}),
                               ("QLinearLeakyRelu", {"alpha": 0.2})):
            net = Net(f"{op} {dtype}", 13)
            net.step, net.result = 1, NP[dtype]
            out = (np.float32(1 / 256), NP[dtype](0 if dtype == "uint8" else -128)) if op == "QLinearSigmoid" else y
            yield net.output(net.node(op, net.input(q), s, z, *out, domain="com.microsoft", **attributes))
        net = Net(f"QLinearConcat {dtype}", 13)
        net.step, net.result = 1, NP[dtype]
        yield net.output(net.node("QLinearConcat", *y, net.input(q), s, z, net.input(q[:, :2].copy()), np.float32(0.1), NP[dtype](1), axis=1,
                                  domain="com.microsoft"))
        for dense in (False, True):
            net = Net(f"QGemm {'f32 result ' if dense else ''}{dtype}", 13)
            w = np.random.default_rng(2).integers(-100, 100, (5, 8)).astype(np.int8)
            b = np.random.default_rng(3).integers(-3000, 3000, 5).astype(np.int32)
            net.step, net.result = (0.01, np.float32) if dense else (1, NP[dtype])
            yield net.output(net.node("QGemm", net.input(q[0, 0]), s, z, w, np.float32(0.02), np.int8(0), b, *(() if dense else y), transB=1,
                                      domain="com.microsoft"))


def integers():
    x = np.random.default_rng(1).integers(0, 256, (1, 4, 7, 6)).astype(np.uint8)
    w = np.random.default_rng(2).integers(-128, 128, (5, 4, 3, 3)).astype(np.int8)
    yield Net("ConvInteger", 13).ends(lambda n: n.node("ConvInteger", n.input(x), w, np.uint8(120), pads=[1, 1, 1, 1]))
    yield Net("MatMulInteger", 13).ends(lambda n: n.node("MatMulInteger", n.input(x), w[0, 0].repeat(2, axis=0), np.uint8(7), np.int8(3)))
    net = Net("DynamicQuantizeLinear, MatMulInteger, scaled", 13)
    q, scale, zero = net.node("DynamicQuantizeLinear", net.input(random(6, 8)), outputs=3)
    product = net.node("Cast", net.node("MatMulInteger", q, np.random.default_rng(2).integers(-127, 128, (8, 5)).astype(np.int8), zero), to=1)
    yield net.output(net.node("Mul", product, net.node("Mul", scale, np.float32(0.01))))
    f, scales = random(2, 3, 4, scale=2), np.array([0.02, 0.05, 0.1], np.float32)
    net = Net("QuantizeLinear along an axis", 13)
    net.step = 1
    yield net.output(net.node("QuantizeLinear", net.input(f), scales, np.array([1, 2, 3], np.uint8), axis=1))
    yield Net("DequantizeLinear along an axis", 13).ends(lambda n: n.node("DequantizeLinear", n.input(x[:, :3]), scales, np.array([1, 2, 3], np.uint8), axis=1))
    yield Net("DequantizeLinear of int32", 13).ends(lambda n: n.node("DequantizeLinear", n.input(np.arange(-9, 9, dtype=np.int32)), np.float32(0.5)))
    net = Net("QuantizeLinear output_dtype", 21)
    net.step = 1
    yield net.output(net.node("QuantizeLinear", net.input(f), np.float32(0.03), output_dtype=3))
    blocks = np.ones((2, 3, 2), np.float32)
    yield refused(Net("blocked QuantizeLinear", 21).ends(lambda n: n.node("QuantizeLinear", n.input(f), blocks, axis=2, block_size=2)), "blocked")
    net = Net("arithmetic on stored integers", 14)
    q = net.node("QuantizeLinear", net.input(f), np.float32(0.03), np.uint8(3))
    yield refused(net.output(net.node("Add", q, q)), "only DequantizeLinear and operators that move elements")
    yield refused(Net("scale 0", 13).ends(lambda n: n.node("QuantizeLinear", n.input(f), np.float32(0), np.uint8(3))), "scale 0 is zero")


def cases():
    return itertools.chain(products(), elementwise(), qlinear(), integers())
