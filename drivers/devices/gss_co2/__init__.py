"""Gas Sensing Solutions CO2 sensors with the UART command language."""

from drivers.devices.gss_co2.driver import GssCozirA, GssExplorirM, GssSprintir

__all__ = ["GssCozirA", "GssExplorirM", "GssSprintir"]
