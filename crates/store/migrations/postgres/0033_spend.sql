-- What was spent: the lines of exported documents by month of their posting date, currency (empty: the company's own), and account or dimension value;
-- amounts in ten-thousandths, credit memos less. And how long a draft took from when its record was first seen ready, by day (UTC) and step. Both
-- are kept by whatever writes a record, as the counts are.

CREATE TABLE spend (
    connection TEXT NOT NULL,
    month TEXT NOT NULL,
    currency TEXT NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    amount_e4 BIGINT NOT NULL,
    PRIMARY KEY (connection, month, currency, dimension, value)
);

CREATE TABLE draft_days (
    connection TEXT NOT NULL,
    day BIGINT NOT NULL,
    step BIGINT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (connection, day, step)
);

INSERT INTO spend (connection, month, currency, dimension, value, amount_e4)
SELECT connection, month, currency, dimension, value, CAST(SUM(amount_e4) AS BIGINT) FROM (
    SELECT connection, SUBSTR(plan ->> 'posting_date', 1, 7) AS month, COALESCE(plan ->> 'currency', '') AS currency, '' AS dimension,
        line ->> 'account' AS value,
        CASE plan ->> 'kind' WHEN 'credit_memo' THEN -1 ELSE 1 END * ROUND(CAST(line ->> 'amount' AS NUMERIC) * 10000) AS amount_e4
    FROM (SELECT connection, CAST(plan AS JSONB) AS plan FROM records WHERE exported_ms IS NOT NULL AND plan IS NOT NULL) AS exported
    CROSS JOIN LATERAL jsonb_array_elements(exported.plan -> 'lines') AS line
    UNION ALL
    SELECT connection, SUBSTR(plan ->> 'posting_date', 1, 7), COALESCE(plan ->> 'currency', ''), dimension.key, dimension.value,
        CASE plan ->> 'kind' WHEN 'credit_memo' THEN -1 ELSE 1 END * ROUND(CAST(line ->> 'amount' AS NUMERIC) * 10000)
    FROM (SELECT connection, CAST(plan AS JSONB) AS plan FROM records WHERE exported_ms IS NOT NULL AND plan IS NOT NULL) AS exported
    CROSS JOIN LATERAL jsonb_array_elements(exported.plan -> 'lines') AS line
    CROSS JOIN LATERAL jsonb_each_text(line -> 'dimensions') AS dimension
) AS lines WHERE month IS NOT NULL AND value IS NOT NULL AND amount_e4 IS NOT NULL GROUP BY connection, month, currency, dimension, value;

INSERT INTO draft_days (connection, day, step, records)
SELECT connection, day, step, COUNT(*) FROM (
    SELECT a.connection AS connection, a.at_ms / 86400000 AS day,
        CASE WHEN a.at_ms - r.first_seen_ms < 60000 THEN 0 WHEN a.at_ms - r.first_seen_ms < 600000 THEN 1
            WHEN a.at_ms - r.first_seen_ms < 3600000 THEN 2 WHEN a.at_ms - r.first_seen_ms < 86400000 THEN 3 ELSE 4 END AS step
    FROM audit a JOIN records r ON r.connection = a.connection AND r.id = a.subject
    WHERE a.action IN ('document_created', 'document_adopted')
) AS drafts GROUP BY connection, day, step;
