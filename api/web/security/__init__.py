"""Who may come in, and what each may do (safety-and-records §8.3, §9)."""
