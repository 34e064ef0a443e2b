"""Bad input: refused with the protocol's own error form, never a crash, never a hang, never another's data."""

from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite, tally

SUITE = Suite()
ROOM: Final = "tests/gateway"
HTTP: Final = f"{ROOM}/test_http.py"
CONNECTION: Final = f"{ROOM}/test_connection.py"
TOKENS: Final = "tests/access/test_tokens.py"

SUITE.tests(
    "bad-magic",
    "bytes that are no request of the protocol",
    f"{CONNECTION}::test_what_is_no_request_here_is_refused_once_and_closed",
    f"{HTTP}::test_what_is_no_request_is_refused_and_the_connection_closed",
)
SUITE.tests(
    "bad-content-length",
    "lengths that lie: Content-Length",
    f"{HTTP}::test_a_truncated_body_is_refused_and_not_answered",
    f"{CONNECTION}::test_the_limit_of_a_body_is_the_largest_that_is_taken",
)
SUITE.tests(
    "bad-tensor-lengths",
    "lengths that lie: Inference-Header-Content-Length, tensor sizes, byte strings",
    f"{ROOM}/test_v2_binary.py::test_lengths_that_lie_are_named",
    f"{ROOM}/test_v2_binary.py::test_byte_strings_that_do_not_fill_their_tensor_are_refused",
    f"{ROOM}/test_smuggling.py::test_lengths_within_a_body_that_lie_are_refused",
)
SUITE.tests(
    "bad-smuggling",
    "smuggling shapes: both length and chunked, bare LF, duplicate lengths: one reply, and nothing behind it is read",
    f"{ROOM}/test_smuggling.py::test_what_may_be_read_in_two_ways_is_refused_once_and_nothing_behind_it_is_read",
    f"{ROOM}/test_smuggling.py::test_they_are_refused_however_they_are_cut",
    f"{ROOM}/test_smuggling.py::test_what_has_one_meaning_is_answered_once",
    f"{ROOM}/test_smuggling.py::test_a_request_hidden_in_a_body_stays_a_body",
    "tests/console/test_wire.py",
)
SUITE.tests(
    "bad-arrow",
    "tables that are none, lie about their lengths, or unfold without end",
    f"{ROOM}/test_arrow_refused.py",
)
SUITE.tests("bad-forms", "forms that are none", f"{ROOM}/test_pictures.py::test_what_is_no_form_is_refused")
SUITE.tests(
    "bad-strangers",
    "who may not call is refused by the head, before a body comes",
    f"{ROOM}/test_strangers.py",
)
SUITE.tests(
    "bad-bombs",
    "compressed bodies that unfold without end, or are none",
    f"{ROOM}/test_smuggling.py::test_bombs_and_nested_codings_are_refused_and_small",
    f"{ROOM}/test_coding.py::test_what_is_not_in_its_coding_or_unfolds_without_end_is_refused",
    f"{ROOM}/test_permits.py::test_strangers_get_nothing_unfolded",
)
SUITE.tests("bad-protobuf", "invalid protobuf", f"{ROOM}/test_rpc_calls.py::test_what_is_no_request_is_refused_by_name")
SUITE.tests(
    "bad-tokens",
    "tokens expired, forged, cut, or signed by strangers",
    f"{TOKENS}::test_a_bad_token_is_nobodys",
    f"{TOKENS}::test_claims_add_up_and_unknown_ones_allow_nothing",
    f"{ROOM}/test_permits.py::test_tokens_open_the_same_doors",
    f"{ROOM}/test_elsewhere.py::test_a_bad_token_opens_no_door",
    f"{ROOM}/test_elsewhere.py::test_a_bad_token_opens_no_door_of_grpc",
)
SUITE.tests("bad-roles", "unknown roles", "tests/access/test_grants.py::test_what_is_no_role_is_refused")
SUITE.tests(
    "bad-key",
    "a key for another endpoint, refused by each door in its own words, gRPC's too",
    f"{ROOM}/test_elsewhere.py",
    f"{ROOM}/test_permits.py::test_each_door_refuses_in_its_own_words",
    f"{ROOM}/test_permits.py::test_a_scope_ends_at_its_endpoint_and_does_not_tell_what_exists",
)
SUITE.tests(
    "bad-neighbours",
    "noise never harms a neighbour",
    f"{HTTP}::test_noise_never_harms_a_neighbour",
    f"{ROOM}/test_odd_texts.py::test_neighbours_of_an_odd_text_are_answered",
)
SUITE.tests(
    "bad-schemathesis",
    "schemathesis over the OpenAPI description",
    f"{ROOM}/test_fuzzed.py::test_an_endpoint_does_what_its_description_says",
    f"{ROOM}/test_fuzzed.py::test_the_whole_data_plane_does_what_its_description_says",
)
SUITE.tests(
    "bad-fuzz",
    "damaged requests at every door: answered or refused in its own form, and the next is answered",
    f"{ROOM}/test_fuzzed_doors.py",
)


@SUITE.row("bad-fuzz-long", "the same for longer, by a target of its own", "make fuzz EXAMPLES=1500")
def long(bench: Bench) -> Measured:
    said = bench.run("make", "fuzz", "EXAMPLES=1500", timeout=3600)
    counts, _ = tally(said)
    if counts.get("failed") or counts.get("error"):
        raise Red(str(counts))
    return Measured(counts.get("passed", 0), 3, at_least=True)
