"""The card's test of the connection, and cleaning up what was left over."""

import pytest

from tests.standins.gemini import MODEL, StoredFile
from tests.standins.http_server import Fault
from tests.unit.backends.cloud.jobs import KEY
from vvlm_desktop.backends.gemini import connection
from vvlm_desktop.backends.gemini.uploads import DISPLAY_NAME
from vvlm_desktop.errors import CloudError


def call(tool, arguments):
    return tool(arguments, secrets={"gemini": KEY}, progress=lambda *_: None, cancelled=lambda: False)


def left(gemini, name, *, display_name=DISPLAY_NAME):
    gemini.stored[name] = StoredFile(name, display_name, b"")


def test_a_good_connection_names_the_models_that_can_be_asked(gemini):
    left(gemini, "files/vvlm-old")
    found = call(connection.test_connection, {"model": MODEL})
    assert found["title"] == "Gemini Flash"
    assert found["models"] == [MODEL]
    assert found["left_over"] == ["files/vvlm-old"]


def test_a_model_that_is_not_there_is_told(gemini):
    with pytest.raises(CloudError, match="no model gemini-9"):
        call(connection.test_connection, {"model": "gemini-9"})


def test_a_wrong_key_is_told_without_showing_it(gemini):
    gemini.fail("model", Fault(status=400, body={"error": {"code": 400, "message": f"API key not valid {KEY}"}}))
    with pytest.raises(CloudError, match="did not accept the key") as caught:
        call(connection.test_connection, {})
    assert KEY not in str(caught.value)


def test_named_left_overs_are_deleted_and_those_that_are_not_there_are_told_apart(gemini):
    left(gemini, "files/vvlm-a")
    found = call(connection.delete_uploads, {"names": ["files/vvlm-a", "files/vvlm-b"]})
    assert found == {"deleted": ["files/vvlm-a"], "absent": ["files/vvlm-b"], "left": []}
    assert gemini.stored == {}


def test_without_names_only_ours_are_deleted(gemini):
    left(gemini, "files/vvlm-a")
    left(gemini, "files/holiday", display_name="Holiday")
    assert call(connection.delete_uploads, {})["deleted"] == ["files/vvlm-a"]
    assert list(gemini.stored) == ["files/holiday"]


def test_what_cannot_be_deleted_now_is_named(gemini):
    left(gemini, "files/vvlm-a")
    gemini.fail("delete", Fault(status=500, body={}))
    assert call(connection.delete_uploads, {}) == {"deleted": [], "absent": [], "left": ["files/vvlm-a"]}


def test_a_key_that_is_refused_does_not_pass_for_a_deletion(gemini):
    gemini.fail("files", Fault(status=403, body={}))
    with pytest.raises(CloudError):
        call(connection.delete_uploads, {"names": ["files/vvlm-a"]})
