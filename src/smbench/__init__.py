"""Benchmark Amazon SageMaker asynchronous inference endpoints, and trust the answer."""

__version__ = "0.1.0"
