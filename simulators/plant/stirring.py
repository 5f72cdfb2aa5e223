"""What a stirrer does to spheroids (plant-models §10, benches A1). SI units, 37 °C.

ε = N_p n³ d⁵ / V,   η_K = (ν³ / ε)^{1/4},   shear scale ρ ν (ε / ν)^{1/2}
"""

from __future__ import annotations

from simulators.plant import parameters as p


def dissipation_w_kg(
    rpm: float, volume_ml: float, diameter_m: float = p.IMPELLER_M, power: float = p.POWER_NUMBER
) -> float:
    """ε, mean over the vessel."""
    return power * (rpm / 60) ** 3 * diameter_m**5 / (volume_ml * 1e-6)


def kolmogorov_m(dissipation: float) -> float:
    """Smallest eddies: 135 µm at 10⁻³ W/kg, 76 µm at 10⁻²."""
    return (p.VISCOSITY**3 / dissipation) ** 0.25


def shear_pa(dissipation: float) -> float:
    """Shear scale: 0.026 Pa at 10⁻³ W/kg, 0.083 Pa at 10⁻²."""
    return 1000 * p.DENSITY * p.VISCOSITY * (dissipation / p.VISCOSITY) ** 0.5


def just_suspended_rpm(
    particle_m: float, excess_density: float, mass_percent: float, s: float = p.ZWIETERING,
    diameter_m: float = p.IMPELLER_M,
) -> float:  # fmt: skip
    """Zwietering: no spheroid rests longer than a second or two; `excess_density` kg/m³ above the medium."""
    rho = 1000 * p.DENSITY
    turns = (
        s * p.VISCOSITY**0.1 * particle_m**0.2 * (9.81 * excess_density / rho) ** 0.45 * mass_percent**0.13
        / diameter_m**0.85
    )  # fmt: skip
    return 60 * turns


def settling_mm_s(particle_m: float, excess_density: float) -> float:
    """Stokes, with Schiller-Naumann's drag above it."""
    rho, nu = 1000 * p.DENSITY, p.VISCOSITY
    speed = 9.81 * excess_density * particle_m**2 / (18 * rho * nu)
    for _ in range(60):
        reynolds = speed * particle_m / nu
        speed += 0.5 * (9.81 * excess_density * particle_m**2 / (18 * rho * nu * (1 + 0.15 * reynolds**0.687)) - speed)
    return 1000 * speed
