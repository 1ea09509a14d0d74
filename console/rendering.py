"""Templates with what every page needs: words, menu, language, light; text of others is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.page import Page
from console.static_files import address_of
from console.words import DEFAULT, LANGUAGES, Language, Words
from libs.chassis.auth import Principal
from libs.chassis.forms import holds_number

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGE: Final = "pkh-language"
LIGHT: Final = "pkh-light"
LIGHTS: Final = ("light", "dark")

_environment: Final = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["static"] = address_of


@dataclass(frozen=True, slots=True)
class Frame:
    """The surroundings of a page: who is signed in, and the menu that is theirs."""

    reader: Principal | None = None
    menu: Sequence[Page] = ()
    csrf: str = ""


NO_FRAME: Final = Frame()


def language_of(request: Request) -> Language:
    """The language that a browser has chosen; Indonesian where it has not."""
    chosen = request.cookies.get(LANGUAGE)
    return next((language for language in LANGUAGES if language == chosen), DEFAULT)


def light_of(request: Request) -> str:
    """light or dark where a browser has chosen, else "": what its system says."""
    chosen = request.cookies.get(LIGHT, "")
    return chosen if chosen in LIGHTS else ""


def rendered(
    request: Request,
    name: str,
    template: str,
    data: Mapping[str, Any],
    frame: Frame = NO_FRAME,
    status: int = 200,
) -> HTMLResponse:
    """A page. `name` is whose words it speaks and which entry of the menu it is."""
    language = language_of(request)
    # An address with somebody's number in it is refused, and its page does not repeat it.
    query = "" if holds_number(request.url.query) else request.url.query
    text = _environment.get_template(template).render(
        {
            **data,
            "t": Words(language, name),
            "here": name,
            "back": request.url.path + (f"?{query}" if query else ""),
            "language": language,
            "light": light_of(request),
            "frame": frame,
            "menu": [(page, Words(language, page.name)("title")) for page in frame.menu],
        }
    )
    return HTMLResponse(text, status)
