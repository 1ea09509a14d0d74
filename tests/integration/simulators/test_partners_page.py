"""A bank that follows the page for partners is believed: its commands are run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from cryptography import x509

from libs.chassis.dev_partner_keys import OWN, REGISTER, make_partner_keys
from libs.chassis.partner_keys import HEADER, PartnerKeys
from services.payments.partners.files import content_digest

PAGE = Path(__file__).parents[3] / "docs" / "partners.md"
ANSWER = b"H,1,CREDIT_RESULT,2023-1-REGULAR-BNI-1,2023-04-20\n"


def test_a_bank_that_signs_as_the_page_says_is_believed(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "answer.csv").write_bytes(ANSWER)
    subprocess.run(["bash", "-euc", "".join(blocks)], cwd=tmp_path, check=True, timeout=30)

    make_partner_keys(tmp_path, ["BRI"])
    register = json.loads((tmp_path / REGISTER).read_text())
    register["keys"].append(json.loads((tmp_path / "bni.jwk").read_text()))
    (tmp_path / REGISTER).write_text(json.dumps(register))
    keys = PartnerKeys.read(tmp_path / REGISTER, tmp_path / OWN)
    lines = (tmp_path / "headers").read_text().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)

    asked = x509.load_pem_x509_csr((tmp_path / "payments.client.csr").read_bytes())
    assert asked.subject.rfc4514_string() == "CN=payments"
    assert headers["Content-Digest"] == content_digest(ANSWER)
    assert keys.fault("BNI", headers["Content-Digest"], headers[HEADER]) is None
    assert keys.fault("BNI", content_digest(ANSWER + b"D"), headers[HEADER]) is not None
