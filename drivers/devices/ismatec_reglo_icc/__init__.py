"""Ismatec Reglo ICC peristaltic pump, one driver a channel."""

from drivers.devices.ismatec_reglo_icc.driver import IsmatecRegloIcc

__all__ = ["IsmatecRegloIcc"]
