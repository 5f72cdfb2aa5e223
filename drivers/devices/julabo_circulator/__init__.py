"""JULABO circulators."""

from drivers.devices.julabo_circulator.driver import JulaboCorioCd, JulaboCorioCp, JulaboDyneo, JulaboMagio

__all__ = ["JulaboCorioCd", "JulaboCorioCp", "JulaboDyneo", "JulaboMagio"]
