"""How well anomalies are found: the protocol, its figures, and the recipe to beat."""
