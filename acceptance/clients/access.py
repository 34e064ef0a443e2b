"""Item 2: who may do what."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
PERMITS: Final = "tests/gateway/test_permits.py"
KEYS: Final = "tests/app/test_keys.py"
LINE: Final = "tests/cli/test_keys.py"

SUITE.tests(
    "2-keys-kept",
    "API keys are stored hashed and shown once; forged digests open nothing",
    f"{LINE}::test_a_key_is_shown_once",
    f"{KEYS}::test_a_key_put_into_the_store_by_hand_opens_nothing",
    "tests/access/test_identity.py",
)
SUITE.tests(
    "2-keys-end",
    "keys expire, are rotated with an overlap, and revoked on every worker",
    f"{KEYS}::test_a_key_opens_doors_until_it_is_revoked",
    f"{KEYS}::test_a_rotated_key_works_on_for_as_long_as_said",
    f"{KEYS}::test_revoking_ends_the_overlap_too",
    "tests/access/test_identity.py::test_keys_end",
    "tests/lives/test_access.py",
)
SUITE.tests(
    "2-reads",
    "each read of a journal over HTTP needs the role and is audited",
    "tests/console/test_guard.py",
    "tests/lives/test_access.py",
)
SUITE.tests("2-keys-verbs", "headgate key create, list, rotate and revoke", LINE)
SUITE.tests(
    "2-tokens",
    "OIDC/JWT bearer tokens open the same doors",
    "tests/access/test_tokens.py",
    "tests/access/test_oidc.py",
    "tests/app/test_identity.py",
    f"{PERMITS}::test_tokens_open_the_same_doors",
)
SUITE.tests(
    "2-roles",
    "roles predict, label, review, operate and admin, at every door",
    f"{PERMITS}::test_every_door_asks_for_a_role_or_says_it_is_open",
    f"{PERMITS}::test_a_role_opens_its_doors_and_no_other",
    "tests/access/test_grants.py::test_a_role_holds_where_a_scope_covers",
)
SUITE.tests(
    "2-scopes",
    "per project and endpoint, without telling what exists",
    f"{PERMITS}::test_a_scope_ends_at_its_endpoint_and_does_not_tell_what_exists",
    "tests/access/test_grants.py",
    "tests/console/test_guard.py",
)
SUITE.tests(
    "2-mutual-tls",
    "mutual TLS: no caller without a certificate of the authority; its name may be a key's",
    "tests/gateway/test_tls.py::test_callers_must_show_a_certificate_of_the_authority",
    "tests/gateway/test_tls.py::test_a_certificates_name_is_a_keys_name",
)
SUITE.tests(
    "2-tls",
    "TLS whose certificates are reloaded under standing connections",
    "tests/gateway/test_tls.py",
    "tests/lives/test_tls.py",
)
SUITE.tests(
    "2-exposed",
    "open on the loopback and says so; elsewhere it refuses to start without keys, rules or --insecure",
    f"{LINE}::test_an_exposed_port_needs_a_key_or_a_word",
    "tests/cli/test_mistakes.py::test_nothing_listens_beyond_this_machine_unless_it_is_said",
    "tests/app/test_up.py::test_it_says_in_one_line_who_may_call",
    "tests/app/test_up.py::test_children_of_an_exposed_installation_are_told_that_it_was_said",
)
SUITE.tests(
    "2-rates",
    "per-key rates hold over any sequence of requests, and across gateways",
    "tests/access/test_rates.py",
    f"{PERMITS}::test_who_sends_too_fast_is_told_when_to_come_back",
    f"{PERMITS}::test_gateways_share_a_rate",
)
SUITE.tests(
    "2-fair",
    "the queue is fair: nobody is kept out by another's flood",
    "tests/gateway/test_room.py",
    f"{PERMITS}::test_a_flood_does_not_keep_others_out",
)
SUITE.tests(
    "2-audit",
    "every control action is in the history: who, what, why, before and after, chained by hash",
    "tests/lives/test_audit.py",
    f"{KEYS}::test_every_change_is_remembered_and_no_key_is",
    "tests/store/test_chain.py",
    "tests/app/test_noted.py",
    "tests/controller/test_declared.py",
    "tests/registry/test_registry.py::test_a_model_a_number_and_an_alias",
    "tests/registry/test_register.py",
    "tests/lives/test_access.py",
    "tests/controller/test_notes.py",
)
SUITE.tests(
    "2-audit-verify",
    "headgate audit verify names the first record changed, taken out, moved or put in, and a cut end by its head",
    f"{LINE}::test_the_audit_trail_is_read_and_verified",
    f"{LINE}::test_a_history_cut_at_its_end_is_noticed_by_its_head",
)
