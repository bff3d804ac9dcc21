"""How each step does its work: one package per step, one module per concept."""
