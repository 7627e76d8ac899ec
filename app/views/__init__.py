"""From answers to text: what ``catalytic`` prints. Pure functions of an answer and a width."""
