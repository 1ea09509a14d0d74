import asyncio
from io import StringIO
from pathlib import Path

from rich.console import Console

from cli.demo.keeping import again, keep_running
from localstack.platform import Options, Platform


class Running(Platform):
    """A platform that says it runs."""

    @property
    def addresses(self) -> dict[str, str]:
        return {"payments": "http://127.0.0.1:1", "kafka": "127.0.0.1:2"}

    @property
    def console_url(self) -> str:
        return "http://127.0.0.1:1/console/"


def test_a_kept_platform_tells_where_it_is_until_it_is_stopped() -> None:
    said = StringIO()
    platform = Running(Options(Path("var"), bus="kafka", books=Path("a year/books.csv")))

    async def stopped() -> None:
        kept = asyncio.create_task(keep_running(platform, Console(file=said, width=200)))
        await asyncio.sleep(0)
        kept.cancel()
        await kept  # ends as if nothing had been cancelled: stopping in order comes next

    asyncio.run(stopped())

    assert "kafka           127.0.0.1:2" in said.getvalue()
    assert "http://127.0.0.1:1/console/ and sign in as pusat-1" in said.getvalue()
    assert "up --data var --bus kafka --books 'a year/books.csv'" in said.getvalue()


def test_the_command_that_starts_it_again_names_its_bus_and_state() -> None:
    assert again(Options(Path("var"))).endswith("pkh up --data var --bus embedded")
