"""How good results are: accuracy, copies, doubtful labels, unknown classes, the worth of a leak."""
