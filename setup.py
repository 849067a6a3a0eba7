"""Metadata and extras of jtr_keras; tool settings are in pyproject.toml."""

import pathlib

import setuptools

EXTRAS = {
    "cuda": ["tensorflow[and-cuda]>=2.20,<2.22"],
    "hub": ["keras-hub>=0.21"],
    "serving": ["tensorflow-serving-api>=2.18"],
    "onnx": ["onnx>=1.16", "tf2onnx>=1.16", "onnxruntime>=1.20"],
    "openvino": ["openvino>=2025.0", "scipy>=1.11"],
    "litert": ["ai-edge-litert>=1.2"],
    "docs": [
        "mkdocs-material>=9.5",
        "mkdocstrings[python]>=0.26",
        "mkdocs-jupyter>=0.25",
    ],
    "dev": [
        "hypothesis>=6.100",
        "import-linter>=2.0",
        "matplotlib>=3.8",
        "mypy>=1.11",
        "pytest>=8.0",
        "pytest-xdist>=3.6",
        "ruff>=0.6",
        "scikit-learn>=1.4",
    ],
}

setuptools.setup(
    name="jtr_keras",
    version="0.1.0",
    description="Multi-task dense prediction from partial labels, in Keras",
    long_description=pathlib.Path(__file__).with_name("README.md").read_text(),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11,<3.14",
    packages=setuptools.find_packages(include=["jtr_keras", "jtr_keras.*"]),
    package_data={
        "jtr_keras": ["py.typed"],
        "jtr_keras.data": ["rooms_shards/main-*.tfrecord", "rooms_shards/*.md"],
    },
    install_requires=[
        "absl-py>=2",
        "keras>=3.13,<3.16",
        "numpy>=1.26",
        "pillow>=10",
        "tensorboard>=2.20,<2.22",
        "tensorflow>=2.20,<2.22",
        "wrapt>=1.15",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["jtr = jtr_keras.cli.main:main"]},
)
