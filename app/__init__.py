"""What a person can ask for, one module per use case. Each takes plain values and returns a dataclass.

Nothing here prints or parses: ``views`` turns the answers into text, ``catalytic.cli`` reads the command line. Solver
engines and the coordinator are imported inside the functions that need them, because reading a plan must stay fast.
"""
