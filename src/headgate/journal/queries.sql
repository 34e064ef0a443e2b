-- The queries of the journal, run by DuckDB over Arrow. Each begins with its name, then says in one line what it
-- answers. Relations a query may use: `inputs`, `answers` and `labels` hold what was read, the views below build on
-- them, and reports see `joined`, the result of the query of that name. Times are in UTC.

-- repeats --
-- Inputs a retried request asked again, each with the first input of the same request id and row.
WITH often AS (
    SELECT request_id, "row" FROM inputs WHERE request_id <> '' GROUP BY request_id, "row" HAVING count(*) > 1
),
asked AS (
    SELECT
        inputs.input_id,
        first_value(inputs.input_id) OVER (PARTITION BY request_id, "row" ORDER BY "at", input_id) AS first_id
    FROM inputs
    SEMI JOIN often USING (request_id, "row")
)
SELECT input_id, first_id FROM asked WHERE input_id <> first_id;

-- no_repeats --
-- The same relation where nothing was asked again.
SELECT input_id, input_id AS first_id FROM inputs WHERE false;

-- kept --
-- Inputs that count: all but the repeats.
SELECT * FROM inputs ANTI JOIN repeats USING (input_id);

-- by_id --
-- The input of each label that names one by its id; the first of those that a retried request asked again.
SELECT coalesce(repeats.first_id, labels.input_id) AS input_id, label_id, value, observed_at, received_at, source, actor
FROM labels
LEFT JOIN repeats ON repeats.input_id = labels.input_id
WHERE labels.input_id IS NOT NULL;

-- by_request --
-- The input of each label that names one by request id and row.
SELECT kept.input_id, label_id, value, observed_at, received_at, source, actor
FROM labels
JOIN kept ON kept.request_id = labels.request_id AND kept."row" = labels."row"
WHERE labels.input_id IS NULL;

-- no_by_request --
-- The same relation where no label names a request.
SELECT input_id, label_id, value, observed_at, received_at, source, actor FROM labels WHERE false;

-- by_entity --
-- The input of each label that names an entity: the last of its entity up to that moment.
SELECT last.input_id, label_id, value, observed_at, received_at, source, actor
FROM (SELECT * FROM labels WHERE input_id IS NULL AND request_id IS NULL) AS named
ASOF JOIN (
    SELECT entity, "at", max(input_id) AS input_id FROM kept WHERE entity IS NOT NULL GROUP BY entity, "at"
) AS last
ON last.entity = named.entity AND last."at" <= named.entity_at;

-- no_by_entity --
-- The same relation where no label names an entity.
SELECT input_id, label_id, value, observed_at, received_at, source, actor FROM labels WHERE false;

-- resolved --
-- The input each label speaks of, in whatever way it names it.
SELECT * FROM by_id UNION ALL SELECT * FROM by_request UNION ALL SELECT * FROM by_entity;

-- decided --
-- What each person decided of an input, once however often they said it, their latest word where they changed it.
SELECT
    input_id, actor,
    arg_max(value, (observed_at, label_id)) AS value,
    max(observed_at) AS observed_at
FROM resolved
WHERE source = 'human'
GROUP BY input_id, actor;

-- no_decided --
-- The same relation where nobody decided anything.
SELECT input_id, actor, value, observed_at FROM labels WHERE false;

-- revised --
-- The revision that counts of each input with several labels: of the world's words, else of people's, the latest.
SELECT input_id, max((source <> 'human', observed_at, label_id)) AS latest
FROM resolved
GROUP BY input_id
HAVING count(*) > 1;

-- truths --
-- What is known of each input: its only label, or the revision that counts, once however often it came.
SELECT input_id, value, observed_at, received_at, source
FROM resolved
ANTI JOIN revised USING (input_id)
UNION ALL
SELECT resolved.input_id, any_value(value), any_value(observed_at), min(received_at), any_value(source)
FROM resolved
JOIN revised
    ON revised.input_id = resolved.input_id
    AND revised.latest = (source <> 'human', resolved.observed_at, resolved.label_id)
GROUP BY resolved.input_id;

-- outcomes --
-- One row per input and version or person that answered, with the truth known of it; unanswered ones have null answers.
SELECT
    kept.input_id, kept."at", kept.request_id, kept."row", kept.entity,
    answers.assigned, answers.answered, answers.role, answers.probability, answers.prediction, answers.scores,
    answers.compute_us, answers.latency_us, answers.fallback,
    kept.refusal_field, kept.refusal_rule, kept.refusal_message, kept.flags,
    truths.value AS label, truths.observed_at AS label_observed_at, truths.received_at AS label_received_at,
    truths.source AS source
FROM kept
LEFT JOIN answers ON answers.input_id = kept.input_id
LEFT JOIN truths ON truths.input_id = kept.input_id
UNION ALL BY NAME
SELECT
    kept.input_id, kept."at", kept.request_id, kept."row", kept.entity,
    'human' AS assigned, decided.actor AS answered, 'human' AS role, 1.0::DOUBLE AS probability,
    decided.value AS prediction, greatest(epoch_us(decided.observed_at) - epoch_us(kept."at"), 0) AS latency_us,
    '' AS fallback,
    kept.refusal_field, kept.refusal_rule, kept.refusal_message, kept.flags,
    truths.value AS label, truths.observed_at AS label_observed_at, truths.received_at AS label_received_at,
    truths.source AS source
FROM decided
JOIN kept USING (input_id)
JOIN truths USING (input_id);

-- joined --
-- The outcomes of inputs in a window and of the roles asked for, by event time; only the columns asked for.
SELECT COLUMNS($columns)
FROM outcomes
WHERE (role IS NULL OR list_contains($roles, role)) AND epoch_us("at") >= $start AND epoch_us("at") < $until
ORDER BY "at", input_id, role, answered;

-- matched --
-- Inputs of a window with every label that speaks of them, by event time; the last of an input is what is known of it.
SELECT kept.input_id, kept."at", resolved.value, resolved.observed_at
FROM kept
JOIN resolved USING (input_id)
WHERE kept."at" >= $start AND kept."at" < $until
ORDER BY kept."at", input_id, resolved.source <> 'human', resolved.observed_at, resolved.label_id;

-- unmatched --
-- Labels that speak of no input the journal holds, every revision, in the order they came.
SELECT labels.*
FROM labels
ANTI JOIN (SELECT resolved.label_id FROM resolved SEMI JOIN kept USING (input_id)) AS matched USING (label_id)
ORDER BY received_at, label_id;

-- counts --
-- How much the journal holds of one endpoint.
SELECT
    (SELECT count(*) FROM kept) AS inputs,
    (SELECT count(*) FROM kept WHERE refusal_rule IS NOT NULL) AS refused,
    (SELECT count(*) FROM kept SEMI JOIN answers USING (input_id)) AS answered,
    (SELECT count(*) FROM repeats) AS repeated,
    (SELECT count(*) FROM answers) AS answers,
    (SELECT count(DISTINCT label_id) FROM labels) AS labels,
    (SELECT count(*) FROM kept JOIN truths USING (input_id) WHERE truths.value IS NOT NULL) AS labelled,
    (SELECT count(*) FROM (SELECT DISTINCT label_id FROM labels) AS received
        ANTI JOIN (SELECT resolved.label_id FROM resolved SEMI JOIN kept USING (input_id)) AS matched
        USING (label_id)) AS unmatched;

-- volume --
-- Per month, day or hour ($bucket): rows asked, refused, flagged, fallen back and labelled, and latency quantiles.
SELECT
    date_trunc($bucket, "at") AS begins,
    count(DISTINCT input_id) AS inputs,
    count(DISTINCT input_id) FILTER (refusal_rule IS NOT NULL) AS refused,
    count(DISTINCT input_id) FILTER (len(flags) > 0) AS flagged,
    count(answered) AS answers,
    count(*) FILTER (fallback <> '') AS fallbacks,
    count(DISTINCT input_id) FILTER (label IS NOT NULL AND answered IS NOT NULL) AS labelled,
    quantile_disc(latency_us, 0.5) AS latency_p50_us,
    quantile_disc(latency_us, 0.99) AS latency_p99_us
FROM joined
GROUP BY begins
ORDER BY begins;

-- versions --
-- Per version assigned and role: answers, fallbacks with their share, labels known, and latency quantiles.
SELECT
    assigned, role, count(*) AS answers,
    count(*) FILTER (fallback <> '') AS fallbacks,
    count(label) AS labelled,
    quantile_disc(compute_us, 0.5) AS compute_p50_us,
    quantile_disc(latency_us, 0.5) AS latency_p50_us,
    quantile_disc(latency_us, 0.99) AS latency_p99_us,
    min("at") AS first_at, max("at") AS last_at
FROM joined
WHERE assigned IS NOT NULL
GROUP BY assigned, role
ORDER BY assigned, role;

-- refusals --
-- Why rows were refused: field and rule, the most frequent first.
SELECT refusal_field AS field, refusal_rule AS rule, count(*) AS rows, min("at") AS first_at, max("at") AS last_at
FROM joined
WHERE refusal_rule IS NOT NULL
GROUP BY field, rule
ORDER BY rows DESC, field, rule;

-- label_delay --
-- How long labels take, in seconds from the event to their arrival: what a label maturity is chosen by.
SELECT
    count(*) AS labelled,
    quantile_disc(epoch_us(label_received_at) - epoch_us("at"), 0.5) / 1e6 AS p50_s,
    quantile_disc(epoch_us(label_received_at) - epoch_us("at"), 0.9) / 1e6 AS p90_s,
    quantile_disc(epoch_us(label_received_at) - epoch_us("at"), 0.99) / 1e6 AS p99_s,
    max(epoch_us(label_received_at) - epoch_us("at")) / 1e6 AS max_s
FROM joined
WHERE label IS NOT NULL;
