"""The version of the platform: of its package, its image, its bill of materials and /health."""

from typing import Final

VERSION: Final = "0.1.0"
