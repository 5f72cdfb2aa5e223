"""The models of this laboratory."""

MODELS = {"borealis_co2": "borealis_co2.driver:BorealisCo2"}
