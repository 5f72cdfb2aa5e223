"""Watson-Marlow 520Du/620Du/720Du, 530Du, 505 and 323 peristaltic pumps."""

from drivers.devices.watson_marlow.driver import (
    WatsonMarlow323,
    WatsonMarlow505,
    WatsonMarlow520,
    WatsonMarlow530,
)

__all__ = ["WatsonMarlow323", "WatsonMarlow505", "WatsonMarlow520", "WatsonMarlow530"]
