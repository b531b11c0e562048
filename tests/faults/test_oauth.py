"""OAuth faults during a transfer (56 to 64): the token expires, and its refresh fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.transfers.states import ItemState
from tests.faults.cases import Case, play
from tests.faults.matrix import cells
from tests.faults.scenario import Cell
from tests.faults.scene import Scene
from tests.support.practice import sign_in_to_imanage
from tests.support.settings import change_settings


def ended(kind: str = "", **more: object) -> Callable[[Scene], None]:
    """The access token has expired, and the token endpoint responds to the refresh like this."""

    def breaks(scene: Scene) -> None:
        scene.practice.expire_tokens()
        if kind:
            scene.dial(kind, where="token", **more)

    return breaks


def sign_in(scene: Scene) -> None:
    sign_in_to_imanage(scene.desk.browser, scene.desk.server.id)


def told(expires_in: object) -> Callable[[Scene], None]:
    """The token endpoint says so of the new token, which is asked for at once."""

    def breaks(scene: Scene) -> None:
        scene.practice.settings.update({"expires_in": expires_in})
        scene.practice.expire_tokens()

    return breaks


def gave_none(scene: Scene) -> None:
    scene.dial("no_refresh_token", where="token", times=1)
    sign_in(scene)
    scene.practice.expire_tokens()


def rotated_and_lost(scene: Scene) -> None:
    scene.practice.expire_tokens()
    scene.dial("rotate_refresh", where="token", times=1)
    scene.dial("lost_after", where="token", times=1)


def asked_and_signed_in(scene: Scene) -> None:
    """The next refresh is refused, because its token is used up; then the member signs in."""
    for item in scene.items:
        if scene.row(item).state == ItemState.WAITING:
            scene.skip_wait(item)
            assert scene.carry(item).state == ItemState.NEEDS_SIGN_IN
    sign_in(scene)


def idles_out(scene: Scene) -> None:
    scene.dial("expire_tokens", times=1)


def firm_changes_secret(scene: Scene) -> None:
    scene.practice.expire_tokens()
    scene.dial("json", where="token", times=None, status=401, body={"error": "invalid_client"})


def key_lost(scene: Scene) -> None:
    change_settings(secret_keys=("A" * 43 + "=",))


CASES: dict[str, Case] = {
    "token-400": Case(
        ended("status", status=400, code="invalid_grant", times=None),
        ItemState.NEEDS_SIGN_IN,
        ItemState.DONE,
        sign_in,
    ),
    "token-page": Case(ended("html", times=None), ItemState.WAITING, ItemState.DONE),
    "token-200-error": Case(
        ended("json", times=None, body={"error": "invalid_grant"}),
        ItemState.NEEDS_SIGN_IN,
        ItemState.DONE,
        sign_in,
    ),
    "token-503": Case(ended("status", status=503, html=True, times=None), ItemState.WAITING, ItemState.DONE),
    "token-slow": Case(ended("slow", seconds=1.0, times=None), ItemState.WAITING, ItemState.DONE),
    "no-refresh-token": Case(gave_none, ItemState.NEEDS_SIGN_IN, ItemState.DONE, sign_in),
    "rotated-and-lost": Case(
        rotated_and_lost, (ItemState.WAITING, ItemState.NEEDS_SIGN_IN), ItemState.DONE, asked_and_signed_in
    ),
    "revoked": Case(lambda scene: scene.practice.revoke(), ItemState.NEEDS_SIGN_IN, ItemState.DONE, sign_in),
    "idles-out": Case(idles_out, ItemState.DONE),
    "expires-absent": Case(told("absent"), ItemState.DONE),
    "expires-zero": Case(told(0), ItemState.DONE),
    "expires-words": Case(told("soon"), ItemState.DONE),
    "expires-huge": Case(told(10**12), ItemState.DONE),
    "secret-rotated": Case(firm_changes_secret, ItemState.WAITING, ItemState.DONE),
    "key-lost": Case(key_lost, ItemState.NEEDS_SIGN_IN, ItemState.NEEDS_SIGN_IN),
    "other-user": Case(
        lambda scene: scene.practice.revoke(),
        ItemState.NEEDS_SIGN_IN,
        ItemState.DONE,
        lambda scene: sign_in_to_imanage(scene.desk.browser, scene.desk.server.id, "BRAM"),
    ),
}


@pytest.mark.parametrize("cell", cells("oauth"), ids=lambda cell: cell.id)
def test_oauth(cell: Cell, scene: Scene) -> None:
    play(scene, CASES[cell.scenario.name])
