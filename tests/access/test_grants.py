"""What a grant allows, over every role and scope."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.access.caller import Caller, permit
from headgate.access.grants import ANY, CallerRole, Grant, roles_of, scope_of
from headgate.errors import BadInput, Forbidden

ROLES = st.sampled_from(list(CallerRole))
NAMES = st.sampled_from(["a", "b", "ab"])
SCOPES = st.tuples(st.sampled_from(["a", "b", "ab", "*"]), st.sampled_from(["a", "b", "ab", "*"])).map("/".join)


@given(st.lists(ROLES, max_size=3), st.lists(SCOPES, max_size=3), ROLES, NAMES, NAMES)
def test_a_role_holds_where_a_scope_covers(
    roles: list[CallerRole], scopes: list[str], wanted: CallerRole, project: str, endpoint: str
) -> None:
    spelled = {"/".join(each) for each in itertools.product((project, "*"), (endpoint, "*"))}
    has_role = wanted in roles or CallerRole.ADMIN in roles
    assert Grant(tuple(roles), tuple(scopes)).allows(wanted, project, endpoint) == (
        has_role and bool(spelled & set(scopes))
    )


@pytest.mark.parametrize("scope", ["a/*", "*/b", "a/b"])
def test_what_belongs_to_no_endpoint_needs_all_of_them(scope: str) -> None:
    assert not Grant((CallerRole.ADMIN,), (scope,)).allows(CallerRole.OPERATE, ANY, ANY)
    assert Grant((CallerRole.ADMIN,), ("*/*",)).allows(CallerRole.OPERATE, ANY, ANY)


def test_grants_do_not_lend_each_other_roles_or_scopes() -> None:
    grants = (Grant((CallerRole.PREDICT,), ("p/a",)), Grant((CallerRole.LABEL,), ("p/b",)))
    caller = Caller("id", "key p/till", grants)
    permit(caller, CallerRole.PREDICT, "p", "a")
    permit(caller, CallerRole.LABEL, "p", "b")
    for role, endpoint in ((CallerRole.PREDICT, "b"), (CallerRole.LABEL, "a")):
        with pytest.raises(Forbidden, match=f"key p/till lacks the role '{role}' on endpoint '{endpoint}'"):
            permit(caller, role, "p", endpoint)


@pytest.mark.parametrize("text", ["", "/", "a/", "/a", "a/b/c", "A", "a b", "**", "a/**", "é", "x" * 64])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="scope"):
        scope_of(text, "default")


@pytest.mark.parametrize("words", [(), ("root",), ("predict", "PREDICT")])
def test_what_is_no_role_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="predict, label, review, read, operate, admin"):
        roles_of(words)


def test_roles_come_once_and_in_order() -> None:
    assert roles_of(("admin", "predict", "admin")) == (CallerRole.PREDICT, CallerRole.ADMIN)
