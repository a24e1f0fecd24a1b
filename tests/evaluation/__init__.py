"""How good the judgements are: figures, not verdicts. Each module is a command."""
