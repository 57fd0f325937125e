"""Listeners of a sweep: progress, TensorBoard, MLflow and Weights & Biases."""
