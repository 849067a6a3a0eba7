import keras

from tests.export import example
from tests.testing import TestCase


class SavedModelTest(TestCase):
    def test_keras_loads_it_as_a_layer(self):
        layer = keras.layers.TFSMLayer(str(example.folder() / "1"))
        floats = example.images().astype("float32") / 255
        expected = example.predict(floats)
        found = layer(floats)
        self.assertEqual(set(found), set(expected))
        for name, value in expected.items():
            self.assertAllClose(found[name], value, atol=1e-5, msg=name)

    def test_size_of_the_training_images(self):
        self.assertEqual(tuple(example.model().image_size), (16, 16))
        config = example.model().get_config()
        self.assertEqual(config["image_size"], [16, 16])
