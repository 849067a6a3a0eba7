"""Two logical CPU devices, so that mirrored training can be tested."""

import os

# XLA's code is run few times: let it be slow, and quick to compile.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
