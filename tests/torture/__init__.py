"""Faults under load on a real server: what is lost, doubled, reordered, mixed up, hung or left behind."""
