"""The distribution strategies of all tests."""

import tensorflow as tf

ONE = tf.distribute.OneDeviceStrategy("CPU:0")
# One for the process: the collectives of a second one would bear the numbers
# of the first one's, which TensorFlow refuses where their shapes differ.
TWO = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
