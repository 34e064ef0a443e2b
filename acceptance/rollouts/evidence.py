"""Item 1: evidence that may be looked at at every moment."""

import ast
import sys
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
ROOM: Final = "tests/evidence"
EXACT: Final = f"{ROOM}/test_exact.py"
MIXTURE: Final = f"{ROOM}/test_mixture.py"
JUDGE: Final = "tests/rollouts/test_judge.py"
FOLLOWING: Final = "tests/rollouts/test_following.py"
LIBRARIES: Final = {"numpy", "msgspec", "headgate"}
"""What the room may import beside the standard library; msgspec keeps its states."""

SUITE.tests("1-mixture", "the mixture e-process, whose peak gives a p-value that holds at every look", MIXTURE)
SUITE.tests(
    "1-allocation",
    "the allocation test of rates, on a ramp and whatever traffic and rates do",
    f"{ROOM}/test_allocation.py",
    f"{EXACT}::test_allocation_over_every_sequence_of_twelve_events_on_a_ramp",
)
SUITE.tests(
    "1-paired",
    "paired tests of bounded losses, the sequential McNemar test among them",
    f"{ROOM}/test_betting.py",
    f"{EXACT}::test_paired_losses_over_every_sequence_of_twelve_pairs_that_differ",
)
SUITE.tests(
    "1-blocks",
    "permuted blocks: the difference within a block is the true effect, whatever drifts from block to block",
    f"{ROOM}/test_blocks.py",
    f"{EXACT}::test_blocks_over_every_way_to_give_two_of_five_inputs_to_the_candidate",
)
SUITE.tests(
    "1-exceedance",
    "the test of quantiles by how often the frozen ones are exceeded",
    f"{ROOM}/test_exceedance.py",
    f"{EXACT}::test_exceedance_over_every_sequence_of_arms_of_five_slow_requests",
)
SUITE.tests(
    "1-intervals",
    "confidence sequences by inversion, of means and of ratios of rates, and for unbounded numbers to be shown alone",
    f"{ROOM}/test_confidence.py",
    f"{ROOM}/test_asymptotic.py",
)
SUITE.tests("1-several", "e-Bonferroni, averages of evidence, and e-BH across challengers", f"{ROOM}/test_multiple.py")
SUITE.tests(
    "1-sample-ratio",
    "the sample-ratio check finds a router that does not send what it says, and breaks the measurement",
    f"{ROOM}/test_allocation.py::test_a_router_that_does_not_send_what_it_says_is_found",
    f"{JUDGE}::test_a_router_that_does_not_do_what_it_says_breaks_the_measurement",
)
SUITE.tests(
    "1-planning",
    "the planning helper: labels, events and requests until a verdict, near what simulations take",
    f"{ROOM}/test_planning.py",
    "tests/rollouts/test_foretell.py",
)


@SUITE.row("1-numpy", "the room is NumPy alone, and msgspec to keep its states", "the imports of src/headgate/evidence")
def numpy_alone(bench: Bench) -> Measured:
    files = sorted((bench.clone / "src" / "headgate" / "evidence").glob("*.py"))
    for path in files:
        if strange := imported(path.read_text()) - LIBRARIES - sys.stdlib_module_names:
            raise Red(f"{path.name} imports {', '.join(sorted(strange))}")
    return Measured(len(files), 10, at_least=True)


def imported(source: str) -> set[str]:
    """The first names of everything a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


SUITE.tests(
    "1-vectorised",
    "updates are vectorised: a history in one step or in many gives the same to the last bit",
    f"{MIXTURE}::test_it_is_the_same_to_the_last_bit_wherever_the_updates_are_cut",
    f"{MIXTURE}::test_more_updates_than_fit_one_chunk_are_the_same_too",
    f"{ROOM}/test_exceedance.py::test_requests_in_one_step_or_in_many_give_the_same",
)
SUITE.tests(
    "1-kept",
    "states serialise, of one test and of all guards together, and go on from where they were kept",
    f"{MIXTURE}::test_it_comes_back_from_where_it_was_kept",
    f"{ROOM}/test_blocks.py::test_blocks_do_not_depend_on_where_a_history_is_cut",
    "tests/rollouts/test_evidence.py::test_evidence_does_not_depend_on_when_somebody_looked",
)
SUITE.tests(
    "1-merged",
    "the evidence of two workers merges into that of one who saw all, and evidence of other tests does not",
    f"{MIXTURE}::test_evidence_of_two_workers_is_that_of_one_who_saw_all",
    f"{MIXTURE}::test_evidence_of_different_tests_is_not_merged",
)
SUITE.tests(
    "1-restart",
    "nothing is lost on restart: a controller killed around any write goes on as if it had lived",
    "tests/controller/test_killed.py",
    "tests/controller/test_progress.py::test_a_controller_killed_around_a_write_leaves_a_rollout_that_goes_on",
)
SUITE.tests(
    "1-corrected",
    "evidence is rebuilt from the journal when labels are corrected",
    "tests/rollouts/test_observe.py::test_a_label_sent_twice_counts_once_and_a_corrected_one_as_it_stands",
    f"{FOLLOWING}::test_a_label_that_is_corrected_after_it_was_counted_is_counted_as_it_stands",
    f"{FOLLOWING}::test_after_a_correction_what_came_before_it_is_not_counted_again",
)
SUITE.tests(
    "1-followed",
    "a look costs what is new, and finds what reading everything would, whenever anybody looked before",
    FOLLOWING,
    "tests/rollouts/test_evidence.py",
)
SUITE.tests("1-exact", "the sum over all sequences of probability and evidence is 1 under every null", EXACT)
SUITE.tests(
    "1-oracle", "an independent library finds the same evidence and the same intervals", f"{ROOM}/test_oracle.py"
)
