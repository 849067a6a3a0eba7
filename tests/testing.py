"""The test case of all tests; only here are private Keras names used."""

import inspect

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

    def run_config_test(self, cls, init_kwargs):
        """Checks that a layer's config has every argument as it was given."""
        layer = cls(**init_kwargs, name="other")
        config = layer.get_config()
        arguments = {
            name: parameter.default
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        }
        for name, value in (arguments | init_kwargs).items():
            self.assertEqual(config[name], value, name)
        copy = self.run_class_serialization_test(layer)
        self.assertEqual(copy.get_config(), config)
