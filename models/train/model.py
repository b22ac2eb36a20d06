"""The network: a plain 2-D U-Net small enough for a phone and for the source tree."""

import tensorflow as tf

# Channels per level, 128x128 down to 8x8. The deep levels hold most weights and
# few operations, the shallow ones the reverse: 232 k weights (928 KB in fp32)
# and 290 million multiply-adds per slice.
CHANNELS = (12, 24, 32, 48, 56)


def _block(x, channels, name):
    for i in (1, 2):
        # No bias: the batch normalisation that follows has one, and both fold
        # into the convolution when the model is exported.
        x = tf.keras.layers.Conv2D(channels, 3, padding="same", use_bias=False,
                                   kernel_initializer="he_normal", name=f"{name}_conv{i}")(x)
        x = tf.keras.layers.BatchNormalization(momentum=0.98, epsilon=1e-3, name=f"{name}_bn{i}")(x)
        x = tf.keras.layers.ReLU(name=f"{name}_relu{i}")(x)
    return x


def build(channels=CHANNELS):
    """Keras model: [n, h, w, 1] -> logits [n, h, w, 1]; h and w multiples of 16.

    Upsampling is a nearest resize followed by the block's convolutions: no
    weights, no checkerboard, and exact in int8.
    """
    inputs = tf.keras.Input((None, None, 1), name="slice")
    x, skips = inputs, []
    for level, c in enumerate(channels[:-1]):
        x = _block(x, c, f"enc{level}")
        skips.append(x)
        x = tf.keras.layers.MaxPooling2D(2, name=f"pool{level}")(x)
    x = _block(x, channels[-1], "mid")
    for level in reversed(range(len(channels) - 1)):
        x = tf.keras.layers.UpSampling2D(2, interpolation="nearest", name=f"up{level}")(x)
        x = tf.keras.layers.Concatenate(name=f"cat{level}")([x, skips[level]])
        x = _block(x, channels[level], f"dec{level}")
    logits = tf.keras.layers.Conv2D(1, 1, name="head")(x)
    return tf.keras.Model(inputs, logits, name="brain2d")


def loss(y, logits):
    """Cross-entropy for calibration plus Dice, which keeps thin edge slices from vanishing."""
    bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    p = tf.sigmoid(logits)
    # Per batch, not per slice: slices without brain would make the ratio jump.
    overlap = (2 * tf.reduce_sum(p * y) + 1) / (tf.reduce_sum(p) + tf.reduce_sum(y) + 1)
    return bce + 0.5 * (1 - overlap)
