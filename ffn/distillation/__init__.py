"""Distillation: one small network, the student, learns to answer like an ensemble, the teacher."""
