"""Item 1: doors, one meaning."""

from typing import Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
ROOM: Final = "tests/gateway"
BINARY: Final = f"{ROOM}/test_v2_binary.py"
REPOSITORY: Final = f"{ROOM}/test_v2_repository.py"
TRITON: Final = f"{ROOM}/test_rpc_triton.py"
CALLS: Final = f"{ROOM}/test_rpc_calls.py"
INVOCATIONS: Final = f"{ROOM}/test_invocations.py"
TENSORFLOW: Final = f"{ROOM}/test_tensorflow.py"
SERVE: Final = "tests/app/test_serve.py"
CHOICE: Final = "python -m benchmarks.rpc_servers"

SUITE.tests(
    "1-one-meaning",
    "the same rows give the same prediction, version, flags, refusal and journal record on every door",
    f"{ROOM}/test_doors_agree.py",
    f"{ROOM}/test_v2_datatypes.py",
    f"{CALLS}::test_the_journal_remembers_the_same_of_the_same_row_whichever_way_it_came",
)
SUITE.tests(
    "1-v2-mixed",
    "V2 REST: JSON and binary tensors in any mixture get the same answer",
    f"{BINARY}::test_the_same_rows_in_every_mixture_of_forms_get_the_same_answer",
    f"{ROOM}/test_v2.py::test_a_matrix_and_columns_give_the_same_answer",
)
SUITE.tests(
    "1-v2-output-flags",
    "each output comes in the form asked for",
    f"{BINARY}::test_each_output_comes_in_the_form_asked_for",
)
SUITE.tests(
    "1-v2-datatypes",
    "numbers, truths, halves and BYTES are read as they were written",
    f"{BINARY}::test_numbers_of_every_datatype_are_read_as_they_were_written",
    f"{BINARY}::test_truths_and_halves_and_byte_strings_are_read_as_they_were_written",
    f"{BINARY}::test_a_field_of_every_kind_comes_in_binary",
)
SUITE.tests("1-v2-coding", "gzip and deflate, bodies and replies", f"{ROOM}/test_coding.py")
SUITE.tests(
    "1-v2-empty",
    "empty tensors are answered with empty tensors and leave no record",
    f"{TRITON}::test_no_rows_get_no_answers_and_leave_no_record",
    f"{ROOM}/test_v2.py",
)
SUITE.tests(
    "1-v2-about",
    "metadata, ready and live, with and without slash",
    f"{ROOM}/test_v2.py::test_health_and_metadata_with_and_without_slash",
)
SUITE.tests(
    "1-v2-stats",
    "statistics and configuration, where stock tools ask for them",
    f"{REPOSITORY}::test_statistics_count_rows_calls_and_requests",
    f"{REPOSITORY}::test_statistics_are_of_all_workers_of_the_home",
    f"{REPOSITORY}::test_configuration",
)
SUITE.tests(
    "1-v2-repository",
    "index, load and unload: for operators only, obeyed by every gateway of a home",
    f"{REPOSITORY}::test_nobody_loads_or_unloads_without_the_right",
    f"{REPOSITORY}::test_an_unloaded_endpoint_answers_nobody_until_it_is_loaded",
    f"{REPOSITORY}::test_every_gateway_of_a_home_obeys",
    f"{ROOM}/test_triton_operates.py",
    "tests/lives/test_access.py",
)
SUITE.tests(
    "1-grpc-forms",
    "V2 gRPC, typed and raw, remembered alike",
    f"{CALLS}::test_typed_is_answered_typed_and_raw_raw",
    f"{CALLS}::test_the_journal_remembers_the_same_of_the_same_row_whichever_way_it_came",
    f"{ROOM}/test_rpc_messages.py",
)
SUITE.tests("1-grpc-health", "grpc.health: Check and Watch", f"{CALLS}::test_health_is_told_and_watched")
SUITE.tests(
    "1-grpc-size",
    "a message may be as large as a body, also beyond gRPC's own 4 MiB",
    f"{CALLS}::test_a_message_may_be_as_large_as_a_body",
    f"{CALLS}::test_a_message_may_be_larger_than_grpcs_own_limit",
)
SUITE.tests(
    "1-grpc-codes",
    "refusals have gRPC's status codes",
    f"{CALLS}::test_what_is_no_request_is_refused_by_name",
    f"{CALLS}::test_a_full_queue_says_when_to_come_back",
    f"{CALLS}::test_a_journal_that_fails_is_unavailable",
    f"{CALLS}::test_a_deadline_is_kept",
    f"{CALLS}::test_replies_are_counted_by_their_status",
)


@SUITE.row(
    "1-grpc-choice",
    "the faster of the synchronous and the asynchronous server: calls per second of a gateway's processor time, "
    "sync / async",
    CHOICE,
)
def choice(bench: Bench) -> Measured:
    if not any("grpc.server(" in each.read_text() for each in (bench.clone / "src/headgate/gateway/rpc").glob("*.py")):
        raise Red("the gateway does not use the server it chose")
    found = report(bench, "rpc_servers", "rpc_servers.json")
    if not gate(found, "calls that failed", limit=0).kept:
        raise Red("calls failed")
    return gate(found, "grpc.server / grpc.aio.server", limit=1.0, at_least=True)


SUITE.tests(
    "1-grpc-tls",
    "gRPC speaks TLS with the same certificates, reloaded, and asks for callers' own where HTTP does",
    f"{ROOM}/test_rpc_tls.py",
)
SUITE.tests(
    "1-grpc-neighbours",
    "an endpoint that hangs does not hold the calls of its neighbours",
    f"{ROOM}/test_rpc_places.py",
)
SUITE.tests(
    "1-mlflow",
    "MLflow /invocations: the four JSON shapes and CSV, refused in MLflow's words",
    f"{INVOCATIONS}::test_requests_of_mlflows_own_documentation_are_answered",
    f"{INVOCATIONS}::test_what_is_wrong_is_said_as_mlflow_says_it",
    f"{INVOCATIONS}::test_answers_come_as_csv_to_those_who_accept_that",
    f"{INVOCATIONS}::test_params_are_what_stands_beside_rows",
)
SUITE.tests(
    "1-mlflow-health",
    "/ping, /health and /version, of the only endpoint and of a named one",
    f"{INVOCATIONS}::test_health_of_the_only_endpoint_and_of_a_named_one",
    f"{INVOCATIONS}::test_without_one_endpoint_alone_a_caller_must_name_it",
)
SUITE.tests(
    "1-sagemaker",
    "the SageMaker container contract: `serve`, the platform's routes, an orderly end at SIGTERM",
    f"{SERVE}::test_a_container_answers_on_the_platforms_routes_and_ends_in_order",
    f"{SERVE}::test_the_variable_comes_first_then_the_unpacked_model",
    f"{INVOCATIONS}::test_sagemakers_inference_id_names_the_request",
)
SUITE.tests(
    "1-sagemaker-ping",
    "/ping answers within 2 s while a version is loaded",
    f"{INVOCATIONS}::test_ping_answers_while_a_version_is_loaded",
)
SUITE.tests(
    "1-vertex",
    "Vertex AI instances and predictions on the routes the platform chooses",
    f"{TENSORFLOW}::test_vertex_chooses_its_routes",
    f"{TENSORFLOW}::test_a_gateway_nobody_chose_routes_for_has_none",
)
SUITE.tests(
    "1-tensorflow",
    "TensorFlow Serving :predict in row and column form, base64, refused in its words",
    f"{TENSORFLOW}::test_row_and_column_form_say_the_same",
    f"{TENSORFLOW}::test_bytes_come_in_base64_and_tensors_go_by_name",
    f"{TENSORFLOW}::test_what_is_wrong_is_said_as_tensorflow_says_it",
)
SUITE.tests(
    "1-tensorflow-paths",
    "versions and labels in the path, and the status endpoint",
    f"{TENSORFLOW}::test_versions_and_labels_in_the_path",
    f"{TENSORFLOW}::test_status_and_metadata",
)
SUITE.tests(
    "1-arrow",
    "Arrow IPC bodies in and out: ten thousand rows have the predictions and records they have in JSON",
    f"{ROOM}/test_arrow.py",
)
SUITE.tests(
    "1-images",
    "images as raw bytes, base64 or multipart where the contract has an image field",
    f"{ROOM}/test_pictures.py",
    "tests/app/test_whole_path.py::test_an_image_is_answered",
)
SUITE.tests(
    "1-matrices",
    "matrices of binary tensors leave the records and answers of the same rows one by one",
    f"{ROOM}/test_matrices.py",
)
SUITE.tests(
    "1-ids",
    "every door returns the request's id and version, and says so where no record was kept",
    f"{ROOM}/test_doors_agree.py",
    f"{ROOM}/test_tensors_answered.py::test_an_answer_without_a_record_says_so_at_every_door",
    f"{CALLS}::test_metadata_behind_the_answer_says_who_answered",
)
SUITE.tests(
    "1-paths",
    "single-model protocols answer for the only endpoint and under /endpoints/{endpoint}/",
    f"{ROOM}/test_paths_and_statuses.py",
    f"{ROOM}/test_doors_agree.py",
    f"{INVOCATIONS}::test_health_of_the_only_endpoint_and_of_a_named_one",
    f"{INVOCATIONS}::test_without_one_endpoint_alone_a_caller_must_name_it",
)
