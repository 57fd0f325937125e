"""Listeners of a sweep: live view, TensorBoard, trackers."""
