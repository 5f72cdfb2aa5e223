"""LiCONiC STX plate incubators and the legacy Heraeus Cytomat: one programmable controller, one protocol."""

from drivers.devices.liconic_stx.driver import HeraeusCytomat, LiconicStx

__all__ = ["HeraeusCytomat", "LiconicStx"]
