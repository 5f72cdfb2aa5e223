"""Ismatec Reglo ICC seen from the cable."""

from simulators.devices.ismatec_reglo_icc.pump import IsmatecRegloIcc

__all__ = ["IsmatecRegloIcc"]
