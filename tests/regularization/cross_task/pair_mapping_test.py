import keras
import numpy as np
from absl.testing import parameterized

from jtr_keras.regularization import PairMapping
from tests.testing import TestCase


class PairMappingTest(TestCase):
    def test_units_are_told_the_pair_before_the_activation(self):
        mapping = PairMapping((4, 8), (2, 1), num_pairs=2)
        rng = np.random.default_rng(0)
        inputs = rng.normal(size=(2, 8, 8, 3)).astype("float32")
        mapping.build((None, 8, 8, 3))
        for film in mapping.films:
            for weight in film.weights:
                weight.assign(rng.normal(size=weight.shape))
        found = mapping(inputs, np.eye(2, dtype="float32")[[1, 0]])
        for image, pair in ((0, 1), (1, 0)):
            features = inputs[image : image + 1]
            for index, block in enumerate(mapping.blocks):
                film = mapping.films[index]
                features = block(features)
                features = features * film.gamma[pair] + film.beta[pair]
                features = np.maximum(features, 0.0)
                if index > 0:
                    features = keras.layers.MaxPooling2D()(features)
            self.assertAllClose(found[image], features[0], atol=1e-5)

    def test_no_image_sees_another(self):
        mapping = PairMapping((4,), (1,), num_pairs=2)
        inputs = np.random.default_rng(0).normal(size=(2, 4, 4, 3))
        pair = np.eye(2)
        together = mapping(inputs, pair)
        self.assertAllClose(mapping(inputs[:1], pair[:1]), together[:1])

    def test_config(self):
        arguments = {
            "widths": (4, 6),
            "num_convs": (1, 2),
            "num_pairs": 3,
            "film_learning_rate": 5.0,
        }
        self.run_constructor_test(PairMapping, arguments)
        self.run_class_serialization_test(PairMapping(**arguments))
        films = PairMapping(**arguments).films
        self.assertEqual([film.learning_rate for film in films], [5.0] * 3)

    @parameterized.parameters(((), ()), ((4, 8), (1,)), ((4,), (0,)))
    def test_errors(self, widths, num_convs):
        with self.assertRaisesRegex(ValueError, "one positive number a level"):
            PairMapping(widths, num_convs, 2)
