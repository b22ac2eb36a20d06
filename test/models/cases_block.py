"""Blocks as exporters write them, several of which the converter recognises and replaces."""

import numpy as np

from net import Net, ints, random


def _channel_shuffle():
    for groups, computed in ((2, False), (3, False), (2, True)):
        net = Net(f"channel shuffle of {groups} groups{', shape computed' if computed else ''}")
        x = net.input(random(1, 12, 5, 6))
        t = net.node("Relu", net.node("Conv", x, random(12, 12, 1, 1)))
        shape = ints(1, groups, 12 // groups, 5, 6)
        if computed:
            whole = net.node("Shape", t)
            shape = net.node("Concat", net.node("Slice", whole, ints(0), ints(1)), ints(groups, 12 // groups),
                             net.node("Slice", whole, ints(2), ints(4)), axis=0)
        t = net.node("Transpose", net.node("Reshape", t, shape), perm=[0, 2, 1, 3, 4])
        t = net.node("Reshape", t, ints(1, -1, 5, 6))
        yield net.output(net.node("Conv", t, random(12, 1, 3, 3), group=12, pads=[1, 1, 1, 1]))
    net = Net("ShuffleNet unit: split, branch, concat, shuffle")
    left, right = net.node("Split", net.input(random(1, 8, 6, 6)), ints(4, 4), outputs=2, axis=1)
    right = net.node("Relu", net.node("Conv", right, random(4, 4, 1, 1), random(4)))
    t = net.node("Reshape", net.node("Concat", left, right, axis=1), ints(1, 2, 4, 6, 6))
    yield net.output(net.node("Reshape", net.node("Transpose", t, perm=[0, 2, 1, 3, 4]), ints(1, 8, 6, 6)))


def _squeeze_excite():
    for pool in ("GlobalAveragePool", "ReduceMean"):
        net = Net(f"squeeze and excite with {pool}")
        x = net.node("Conv", net.input(random(1, 3, 8, 8)), random(16, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
        t = net.node(pool, x, **({"axes": [2, 3]} if pool == "ReduceMean" else {}))
        t = net.node("Relu", net.node("Conv", t, random(4, 16, 1, 1), random(4)))
        t = net.node("HardSigmoid", net.node("Conv", t, random(16, 4, 1, 1), random(16)), alpha=1 / 6, beta=0.5)
        yield net.output(net.node("Mul", x, t))
    net = Net("squeeze and excite with Gemm and Reshape")
    x = net.input(random(2, 8, 5, 5))
    t = net.node("Flatten", net.node("GlobalAveragePool", x))
    t = net.node("Sigmoid", net.node("Gemm", net.node("Relu", net.node("Gemm", t, random(8, 2), random(2))), random(2, 8)))
    yield net.output(net.node("Mul", net.node("Reshape", t, ints(2, 8, 1, 1)), x))


def _attention():
    for masked in (False, True):
        net = Net(f"attention of 3 heads{' with mask' if masked else ''}")
        x = net.input(random(2, 7, 12))
        t = net.node("LayerNormalization", x, random(12), random(12, seed=2))
        heads = []
        for i in range(3):
            t_i = net.node("Add", net.node("MatMul", t, random(12, 12, seed=i, scale=0.3)), random(12, seed=i))
            t_i = net.node("Reshape", t_i, ints(2, 7, 3, 4))
            heads.append(net.node("Transpose", t_i, perm=[0, 2, 3, 1] if i == 1 else [0, 2, 1, 3]))
        scores = net.node("Div", net.node("MatMul", heads[0], heads[1]), np.float32(2))
        if masked:
            scores = net.node("Where", np.tril(np.ones((7, 7), bool)), scores, np.float32(-1e9))
        t = net.node("MatMul", net.node("Softmax", scores, axis=-1), heads[2])
        t = net.node("Reshape", net.node("Transpose", t, perm=[0, 2, 1, 3]), ints(2, 7, 12))
        yield net.output(net.node("Add", x, net.node("MatMul", t, random(12, 12, seed=9))))


def _activations_from_parts():
    net = Net("silu from parts")
    t = net.node("Conv", net.input(random(1, 3, 6, 6)), random(8, 3, 3, 3))
    yield net.output(net.node("Mul", t, net.node("Sigmoid", t)))
    for left in (False, True):
        net = Net(f"hard swish from Add, Clip, Div{', factors swapped' if left else ''}")
        t = net.node("Conv", net.input(random(1, 3, 6, 6, scale=3)), random(8, 3, 3, 3))
        six = net.node("Clip", net.node("Add", t, np.float32(3)), np.float32(0), np.float32(6))
        yield net.output(net.node("Div", net.node("Mul", *((six, t) if left else (t, six))), np.float32(6)))
    net = Net("hard swish from HardSigmoid and Mul")
    t = net.node("Conv", net.input(random(1, 3, 6, 6, scale=3)), random(8, 3, 3, 3))
    yield net.output(net.node("Mul", t, net.node("HardSigmoid", t, alpha=1 / 6, beta=0.5)))
    net = Net("gelu from Erf")
    t = net.node("MatMul", net.input(random(2, 5, 6)), random(6, 8))
    e = net.node("Add", net.node("Erf", net.node("Div", t, np.float32(np.sqrt(2)))), np.float32(1))
    yield net.output(net.node("Mul", net.node("Mul", t, e), np.float32(0.5)))
    net = Net("gelu from Tanh")
    t = net.node("MatMul", net.input(random(2, 5, 6)), random(6, 8))
    cubic = net.node("Add", t, net.node("Mul", net.node("Pow", t, np.float32(3)), np.float32(0.044715)))
    e = net.node("Add", net.node("Tanh", net.node("Mul", cubic, np.float32(np.sqrt(2 / np.pi)))), np.float32(1))
    yield net.output(net.node("Mul", net.node("Mul", t, np.float32(0.5)), e))
    net = Net("mish from parts")
    t = net.node("Conv", net.input(random(1, 3, 6, 6)), random(8, 3, 3, 3))
    yield net.output(net.node("Mul", t, net.node("Tanh", net.node("Softplus", t))))
    net = Net("layer normalisation from parts")
    x = net.input(random(2, 5, 8))
    centred = net.node("Sub", x, net.node("ReduceMean", x, axes=[-1]))
    variance = net.node("ReduceMean", net.node("Pow", centred, np.float32(2)), axes=[-1])
    t = net.node("Div", centred, net.node("Sqrt", net.node("Add", variance, np.float32(1e-5))))
    yield net.output(net.node("Add", net.node("Mul", t, random(8)), random(8, seed=4)))
    net = Net("instance normalisation as group normalisation")
    x = net.input(random(2, 6, 4, 4))
    t = net.node("InstanceNormalization", net.node("Reshape", x, ints(0, 3, -1)), np.ones(3, np.float32), np.zeros(3, np.float32))
    t = net.node("Reshape", t, ints(2, 6, 4, 4))
    yield net.output(net.node("Add", net.node("Mul", t, random(6, 1, 1)), random(6, 1, 1, seed=4)))


def _networks():
    net = Net("residual block")
    x = net.node("Relu", net.node("Conv", net.input(random(1, 3, 8, 8)), random(8, 3, 3, 3), random(8), pads=[1, 1, 1, 1]))
    t = net.node("Relu", net.node("Conv", x, random(8, 8, 3, 3, scale=0.2), random(8), pads=[1, 1, 1, 1]))
    t = net.node("Conv", t, random(8, 8, 3, 3, scale=0.2), random(8), pads=[1, 1, 1, 1])
    yield net.output(net.node("Relu", net.node("Add", x, t)))
    net = Net("small U-Net")
    x = net.node("Relu", net.node("Conv", net.input(random(1, 1, 8, 12)), random(6, 1, 3, 3), pads=[1, 1, 1, 1]))
    t = net.node("Relu", net.node("Conv", net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), random(9, 6, 3, 3), pads=[1, 1, 1, 1]))
    t = net.node("ConvTranspose", t, random(9, 6, 2, 2), random(6), strides=[2, 2])
    t = net.node("Conv", net.node("Concat", x, t, axis=1), random(2, 12, 1, 1))
    yield net.output(net.node("Softmax", t, axis=1), net.node("ArgMax", t, axis=1, keepdims=0))
    net = Net("depthwise separable block, pooled and classified")
    t = net.node("Conv", net.input(random(2, 3, 9, 9)), random(8, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    t = net.node("Clip", t, np.float32(0), np.float32(6))
    t = net.node("Clip", net.node("Conv", t, random(8, 1, 3, 3), group=8, pads=[1, 1, 1, 1]), np.float32(0), np.float32(6))
    t = net.node("Conv", t, random(12, 8, 1, 1))
    t = net.node("Reshape", net.node("GlobalAveragePool", t), ints(0, -1))
    yield net.output(net.node("Softmax", net.node("Gemm", t, random(5, 12), random(5), transB=1)))


def cases():
    for family in (_channel_shuffle, _squeeze_excite, _attention, _activations_from_parts, _networks):
        yield from family()
