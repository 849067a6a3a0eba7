"""The test case of all tests; only here are private Keras names used."""

from keras.src import testing


class TestCase(testing.TestCase):
    def run_constructor_test(self, cls, init_kwargs):
        """Checks what `run_layer_test` cannot see.

        Its round trip compares a config with its own copy, so that a wrong
        entry passes; and it looks at the dtype of the output alone. Give every
        argument a value unlike its default.
        """
        layer = cls(**init_kwargs, dtype="mixed_float16")
        config = layer.get_config()
        self.assertEqual({k: config[k] for k in init_kwargs}, init_kwargs)
        for sublayer in layer._flatten_layers():
            self.assertIn(
                sublayer.dtype_policy.name, ("mixed_float16", "float32")
            )
