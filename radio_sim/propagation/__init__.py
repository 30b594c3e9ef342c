"""Path loss, placement loss and fading: pure functions of arrays."""

from radio_sim.propagation.path_loss import (
    PATH_LOSS_MODELS,
    free_space_db,
    log_distance_db,
    okumura_hata_db,
    okumura_hata_extrapolated,
)

__all__ = [
    "PATH_LOSS_MODELS",
    "free_space_db",
    "log_distance_db",
    "okumura_hata_db",
    "okumura_hata_extrapolated",
]
