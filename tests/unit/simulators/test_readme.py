import re
from pathlib import Path

from simulators.refusals import Code
from simulators.request_file import Kind, RequestReader, Whole
from tests.unit.simulators.given import digest_of

README = (Path(__file__).parents[3] / "simulators" / "README.md").read_text(encoding="utf-8")


def test_the_example_of_a_request_file_is_one() -> None:
    (example,) = re.findall(r"```text\n(H,1,CREDIT,.*?)```", README, re.DOTALL)
    body = example.encode()
    reader = RequestReader(Kind.CREDIT, "2023-1-BNI", ("BNI",))

    names = [instruction.name for instruction in reader.feed(body)]

    assert names == ["AGUSTINA SURYANI", "SURYANI, H."]
    digest = digest_of(body).removeprefix("sha-256=:").removesuffix(":")
    assert reader.proven(Whole(2, 1_575_000, digest)).count == 2


def test_every_refusal_is_listed_with_its_status() -> None:
    listed = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) \| (.*) \|$", README, re.MULTILINE)
        for code in re.findall(r"`([A-Z_]+)`", codes)
    }

    assert listed == {(code.value[0], code.name) for code in Code}
