"""Item 5: the journal."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/journal"

SUITE.tests("5-frames", "frames: what was encoded is read, a torn or changed frame never is", f"{ROOM}/test_frames.py")
SUITE.tests(
    "5-disk",
    "the Disk port; the real disk and its unkind double, which drops what was not synced, pass one conformance suite",
    f"{ROOM}/test_disk.py",
)
SUITE.tests(
    "5-group-commit",
    "group commit: nothing is acknowledged before its sync, what arrives meanwhile shares the next",
    f"{ROOM}/test_committer.py::test_nothing_is_acknowledged_before_its_sync",
    f"{ROOM}/test_committer.py::test_what_arrives_during_a_commit_shares_the_next",
    f"{ROOM}/test_committer.py::test_acknowledged_means_it_survives_a_power_loss",
    f"{ROOM}/test_committer.py::test_a_full_queue_refuses_instead_of_growing",
)
SUITE.tests(
    "5-recovery",
    "recovery cuts a torn tail, keeps whole frames for good, and can itself die anywhere",
    f"{ROOM}/test_segment.py",
)
SUITE.tests(
    "5-sealing",
    "segments become Delta tables exactly once, whatever step a crash comes before",
    f"{ROOM}/test_sealer.py",
    f"{ROOM}/test_mending.py",
)
SUITE.tests("5-delta", "others read the lake as plain Delta tables", f"{ROOM}/test_lake.py")
SUITE.tests(
    "5-records",
    "inputs once and answers once per version that spoke; refusals are inputs with reasons",
    f"{ROOM}/test_tables.py",
    f"{ROOM}/test_reader.py",
    "tests/gateway/test_native.py::test_a_row_is_answered_and_remembered",
)
SUITE.tests(
    "5-blobs", "the blob store: content-addressed, whole or absent, synced before it is named", f"{ROOM}/test_blobs.py"
)
SUITE.tests(
    "5-blobs-served",
    "a tensor or image a caller sent is a blob before its answer is acknowledged",
    "tests/app/test_whole_path.py::test_a_tensor_becomes_a_blob",
    "tests/app/test_whole_path.py::test_an_image_is_answered",
)
SUITE.tests(
    "5-capture",
    "capture decides which features of which share of requests are kept; ids and outputs always are",
    f"{ROOM}/test_capture.py",
    "tests/gateway/test_native.py::test_capture_leaves_features_out",
)
SUITE.tests(
    "5-labels",
    "labels by input id, by request and row, by key and time; late, revised, duplicated and out of order is normal",
    f"{ROOM}/test_labels.py",
    "tests/gateway/test_labels.py::test_a_label_finds_its_input_in_three_ways",
)
SUITE.tests(
    "5-as-of",
    "training sets as of a moment: only labels received by then teach, leaks are counted",
    "tests/retraining/datasets/test_cut.py",
)
SUITE.tests(
    "5-retention",
    "retention removes days that ended from every table and from disk, once, and the controller does it",
    f"{ROOM}/test_retention.py",
    "tests/controller/test_decide.py::test_retention_runs_once_per_day_of_event_time",
)
SUITE.tests(
    "5-retention-any-speed",
    "which rows are left does not depend on when they were sealed",
    "tests/controller/test_forgetting.py::test_which_rows_are_left_does_not_depend_on_when_they_were_sealed",
)
SUITE.tests(
    "5-blobs-forgotten",
    "blobs nothing names any more disappear and no other does, wherever the disk fails, whatever happens meanwhile",
    f"{ROOM}/test_orphans.py",
    "tests/controller/test_forgetting.py::test_blobs_follow_the_rows_that_named_them",
)
SUITE.tests(
    "5-queries",
    "named queries in SQL, each saying what it answers",
    f"{ROOM}/test_reader.py::test_every_query_says_what_it_answers",
    f"{ROOM}/test_reader.py::test_reports_answer_what_they_say",
)
SUITE.tests(
    "5-lockstep",
    "replay is lockstep: a step waits until every worker has come to rest and obeys, and time never goes back",
    "tests/controller/test_reconcile.py",
    "tests/gateway/test_stillness.py",
    "tests/lives/test_replay.py::test_a_step_ends_when_shadows_have_said_what_they_have_to_say",
    "tests/gateway/test_native.py::test_event_times_count_where_replay_is_on",
)
SUITE.tests(
    "5-replay-off",
    "replay must be switched on: without it no caller states a time or moves the clock",
    "tests/app/test_refusals.py::test_moving_the_clock_must_be_switched_on",
)
