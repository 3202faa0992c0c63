-- AlterTable
ALTER TABLE "job" ADD COLUMN     "fair_cost_ms" DOUBLE PRECISION,
ADD COLUMN     "fairness_key" TEXT,
ADD COLUMN     "turn" DOUBLE PRECISION;

-- AlterTable
ALTER TABLE "job_history" ADD COLUMN     "fairness_key" TEXT;

-- AlterTable
ALTER TABLE "job_type" ADD COLUMN     "fair_share" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "fair_share" (
    "key" TEXT NOT NULL,
    "weight" DOUBLE PRECISION NOT NULL DEFAULT 1,
    "turn" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "owed" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "used_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "used_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "fair_share_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "fair_share_turn_idx" ON "fair_share"("turn");

-- What follows has no words in schema.prisma.

-- Fair share, in the terms of server/src/core/fair-share.ts, which says what it is and where it comes from;
-- the tests hold these functions to that file.

-- give turns: the next parked jobs of a key, and which keys have any
CREATE INDEX "job_parked" ON "job" ("fairness_key", "rank", "id") WHERE "state" = 'QUEUED' AND "fair_cost_ms" IS NOT NULL AND "turn" IS NULL;

-- give turns: how many of a key have theirs, and which
CREATE INDEX "job_turn" ON "job" ("fairness_key") WHERE "state" = 'QUEUED' AND "turn" IS NOT NULL;

-- give turns: accounts to be corrected
CREATE INDEX "fair_share_owing" ON "fair_share" ("key") WHERE abs("owed" * "weight") >= 100;

-- The rank of a job whose turn comes at a virtual time. Strict priority (aging_ms is null): the part after
-- the point, in 2^46 steps of 1 ms, so that turns order only jobs of equal priority.
CREATE FUNCTION "heddle_fair_rank"(priority integer, turn float8, aging_ms float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN aging_ms IS NULL THEN least(turn, 70368744177632) / 70368744177664 - priority
    ELSE turn - priority * aging_ms
  END
$$;

-- The rank of a job that has no turn yet: behind all that have one.
CREATE FUNCTION "heddle_parked_rank"(priority integer, created_at timestamptz, aging_ms float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN aging_ms IS NULL THEN float8 '70368744177648' / 70368744177664 - priority
    ELSE date_part('epoch', created_at) * 1e3 + 70368744177664 - priority * aging_ms
  END
$$;

-- Where the service stands: the latest turn that has come. Where nothing runs, the next one of the queue;
-- where nothing waits either, the latest ever given. With ageing it never lags behind the clock.
CREATE FUNCTION "heddle_virtual_time"(priority integer, aging_ms float8) RETURNS float8 LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT greatest(
    coalesce(
      (SELECT max(turn) FROM job WHERE state = 'RUNNING' AND ($2 IS NOT NULL OR job.priority = $1)),
      -- Up to where parked jobs begin, which may be many.
      (SELECT turn FROM job WHERE state = 'QUEUED' AND turn IS NOT NULL
          AND rank >= CASE WHEN $2 IS NULL THEN -$1 ELSE float8 '-Infinity' END
          AND rank < CASE WHEN $2 IS NULL THEN heddle_parked_rank($1, NULL, NULL) ELSE float8 '35184372088832' END
        ORDER BY rank, id LIMIT 1),
      (SELECT max(turn) FROM fair_share),
      0),
    CASE WHEN $2 IS NULL THEN 0 ELSE date_part('epoch', clock_timestamp()) * 1e3 END)
$$;

-- Moves the turns of keys that owe for what their jobs have used beyond what was charged, or were charged too
-- much; gives the next parked jobs of each key theirs; charges those that started without one. Returns how many
-- jobs have another turn now; 0 while another session is at it. Rows of jobs are locked first, then accounts in
-- order of their keys, as by everything that takes both.
CREATE FUNCTION "heddle_give_turns"(aging_ms float8) RETURNS integer LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  ids uuid[];
  keys text[];
  owing text[];
  moved integer;
  given integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('heddle-turns')) THEN RETURN 0; END IF;

  SELECT coalesce(array_agg(key), '{}') INTO owing FROM fair_share WHERE abs(owed * weight) >= 100;
  WITH RECURSIVE waiting AS (
    -- Key by key from the index, however many jobs each has.
    (SELECT fairness_key AS key FROM job WHERE state = 'QUEUED' AND fair_cost_ms IS NOT NULL AND turn IS NULL
      ORDER BY fairness_key LIMIT 1)
    UNION ALL
    SELECT (SELECT fairness_key FROM job WHERE state = 'QUEUED' AND fair_cost_ms IS NOT NULL AND turn IS NULL
      AND fairness_key > waiting.key ORDER BY fairness_key LIMIT 1)
    FROM waiting WHERE waiting.key IS NOT NULL
  ), ahead AS (
    SELECT key, jobs, cost_ms FROM waiting CROSS JOIN LATERAL (
      SELECT count(*) AS jobs, coalesce(sum(fair_cost_ms), 0) AS cost_ms FROM job
      WHERE state = 'QUEUED' AND turn IS NOT NULL AND fairness_key = key
    ) AS counted WHERE key IS NOT NULL
  ), picked AS (
    SELECT next.id FROM ahead CROSS JOIN LATERAL (
      SELECT id, row_number() OVER in_order AS n, sum(fair_cost_ms) OVER in_order AS upto_ms FROM job
      WHERE state = 'QUEUED' AND fair_cost_ms IS NOT NULL AND turn IS NULL AND fairness_key = key
      WINDOW in_order AS (ORDER BY rank, id)
      LIMIT CASE WHEN jobs >= 16 AND cost_ms >= 1000 THEN 0 ELSE greatest(0, 256 - jobs) END
    ) AS next
    WHERE jobs + n <= 16 OR cost_ms + upto_ms <= 1000
    UNION ALL
    SELECT id FROM job WHERE state = 'RUNNING' AND fair_cost_ms IS NOT NULL AND turn IS NULL
    UNION ALL
    SELECT id FROM job WHERE state = 'QUEUED' AND turn IS NOT NULL AND fairness_key = ANY (owing)
  )
  -- Again by the row: some may have moved on meanwhile.
  SELECT array_agg(id), array_agg(DISTINCT fairness_key) INTO ids, keys FROM (
    SELECT id, fairness_key FROM job WHERE id IN (SELECT id FROM picked)
      AND state IN ('QUEUED', 'RUNNING')
    ORDER BY id FOR UPDATE SKIP LOCKED
  ) AS locked;
  IF ids IS NULL AND owing = '{}' THEN RETURN 0; END IF;

  INSERT INTO fair_share (key) SELECT k FROM unnest(keys) AS k ORDER BY k ON CONFLICT DO NOTHING;
  PERFORM FROM fair_share WHERE key = ANY (keys || owing) ORDER BY key FOR UPDATE;

  WITH levels AS MATERIALIZED (
    SELECT priority, heddle_virtual_time(priority, heddle_give_turns.aging_ms) AS reached
    FROM (SELECT DISTINCT priority FROM job WHERE id = ANY (ids) AND turn IS NOT NULL AND state = 'QUEUED') AS asked
  ), moves AS (
    -- What is given back makes nobody earlier than those who are being served.
    SELECT job.id, job.priority, greatest(job.turn + owed, least(job.turn, reached)) AS turn
    FROM job JOIN levels USING (priority) JOIN fair_share ON key = fairness_key
    WHERE job.id = ANY (ids) AND job.turn IS NOT NULL AND state = 'QUEUED' AND key = ANY (owing)
  )
  UPDATE job SET turn = moves.turn, rank = heddle_fair_rank(moves.priority, moves.turn, heddle_give_turns.aging_ms)
  FROM moves WHERE job.id = moves.id;
  GET DIAGNOSTICS moved = ROW_COUNT;
  UPDATE fair_share SET turn = greatest(0, turn + owed), owed = 0 WHERE key = ANY (owing);

  WITH jobs AS MATERIALIZED (
    SELECT id, fairness_key AS key, priority, fair_cost_ms / weight AS step, account.turn AS account,
      row_number() OVER (ORDER BY state = 'RUNNING' DESC, job.rank, id) AS n
    FROM job JOIN fair_share AS account ON account.key = fairness_key WHERE id = ANY (ids) AND job.turn IS NULL
  ), levels AS MATERIALIZED (
    SELECT priority, heddle_virtual_time(priority, heddle_give_turns.aging_ms) AS reached
    FROM (SELECT DISTINCT priority FROM jobs) AS asked
  ), sums AS (
    SELECT *, sum(step) OVER (PARTITION BY key ORDER BY n) AS upto FROM jobs JOIN levels USING (priority)
  ), turns AS MATERIALIZED (
    -- Each turn is the later of the account after the job before and of the virtual time: unrolled, since the
    -- account is a running sum from whichever job last had to catch up.
    SELECT id, key, priority, step,
      upto + greatest(account, max(reached - (upto - step)) OVER (PARTITION BY key ORDER BY n)) AS after
    FROM sums
  ), charged AS (
    UPDATE fair_share SET turn = latest.turn
    FROM (SELECT key, max(after) AS turn FROM turns GROUP BY key) AS latest WHERE fair_share.key = latest.key
  )
  UPDATE job SET turn = after - step, rank = CASE
      WHEN state = 'QUEUED' THEN heddle_fair_rank(turns.priority, after - step, heddle_give_turns.aging_ms)
      ELSE rank
    END
  FROM turns WHERE job.id = turns.id;
  GET DIAGNOSTICS given = ROW_COUNT;
  RETURN moved + given;
END
$$;

-- The same function with fairness_key.

DROP FUNCTION "heddle_enqueue"(text, json, text, integer, integer, timestamptz, integer, integer, text, integer, integer, integer);

-- Puts a job in the queue inside the caller's own transaction: it exists if and only if that commits,
-- and the nodes wake then. Returns the job's id; for a key used before, the first job's.
--   SELECT heddle_enqueue('add_numbers', '{"a": 13, "b": 42}');
--   SELECT heddle_enqueue('report', '{}', run_at => now() + interval '1 hour', idempotency_key => 'report-7');
-- A job that can run on any number of threads in a range names it by min_threads and max_threads around
-- thread_demand, the number it prefers; expected_ms helps to plan while nothing is learnt of its run time.
-- fairness_key names whose share of the threads it uses, where FAIR_SHARE is on.
-- The type must have been registered by a node that runs it. The payload is checked when the job runs:
-- one that does not fit the type ends it as FAILED. The queue limit does not hold here.
CREATE FUNCTION "heddle_enqueue"(
  type text,
  payload json,
  name text DEFAULT NULL,
  priority integer DEFAULT 0,
  thread_demand integer DEFAULT 1,
  run_at timestamptz DEFAULT NULL,
  max_attempts integer DEFAULT NULL,
  timeout_ms integer DEFAULT NULL,
  idempotency_key text DEFAULT NULL,
  expected_ms integer DEFAULT NULL,
  min_threads integer DEFAULT NULL,
  max_threads integer DEFAULT NULL,
  fairness_key text DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  known job_type;
  new_id uuid := heddle_job_id();
  submitted timestamptz := clock_timestamp();
  due timestamptz := greatest(submitted, heddle_enqueue.run_at);
  least_threads integer;
BEGIN
  SELECT * INTO known FROM job_type WHERE job_type.type = heddle_enqueue.type;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Unknown job type "%"', heddle_enqueue.type USING
      ERRCODE = 'invalid_parameter_value',
      HINT = 'Known types: ' || coalesce((SELECT string_agg(t.type, ', ' ORDER BY t.type) FROM job_type t), 'none yet; a node registers its types when it starts');
  END IF;
  IF heddle_enqueue.payload IS NULL THEN
    RAISE EXCEPTION 'payload must not be null; use ''{}'' for an empty one' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF heddle_enqueue.priority IS NULL OR heddle_enqueue.priority NOT BETWEEN -1000 AND 1000 THEN
    RAISE EXCEPTION 'priority must be from -1000 to 1000' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF heddle_enqueue.thread_demand IS NULL OR heddle_enqueue.thread_demand NOT BETWEEN 1 AND 1024 THEN
    RAISE EXCEPTION 'thread_demand must be from 1 to 1024' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF heddle_enqueue.max_attempts NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'max_attempts must be from 1 to 100' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF heddle_enqueue.timeout_ms < 1 THEN
    RAISE EXCEPTION 'timeout_ms must be 1 or more' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF heddle_enqueue.expected_ms < 1 THEN
    RAISE EXCEPTION 'expected_ms must be 1 or more' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF least(heddle_enqueue.min_threads, 1) < 1 OR heddle_enqueue.min_threads > heddle_enqueue.thread_demand
    OR heddle_enqueue.max_threads < heddle_enqueue.thread_demand OR heddle_enqueue.max_threads > 1024 THEN
    RAISE EXCEPTION 'thread_demand must lie between min_threads and max_threads, and these from 1 to 1024' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF length(heddle_enqueue.name) > 200 THEN
    RAISE EXCEPTION 'name must have at most 200 characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF length(heddle_enqueue.fairness_key) > 200 THEN
    RAISE EXCEPTION 'fairness_key must have at most 200 characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  least_threads := CASE WHEN known.parallel THEN coalesce(heddle_enqueue.min_threads,
    CASE WHEN heddle_enqueue.max_threads IS NULL THEN heddle_enqueue.thread_demand ELSE 1 END) ELSE 1 END;

  IF heddle_enqueue.idempotency_key IS NOT NULL THEN
    INSERT INTO idempotency_key (key, job_id, created_at)
      VALUES (heddle_enqueue.idempotency_key, new_id, submitted) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      SELECT job_id INTO new_id FROM idempotency_key WHERE key = heddle_enqueue.idempotency_key;
      RETURN new_id;
    END IF;
  END IF;

  INSERT INTO job (
    id, name, type, priority, thread_demand, gang, state, rank, max_attempts, backoff, timeout_ms,
    payload, created_at, run_at, expected_ms, size_class, max_threads, fairness_key, fair_cost_ms
  ) VALUES (
    new_id,
    coalesce(heddle_enqueue.name, heddle_enqueue.type),
    heddle_enqueue.type,
    heddle_enqueue.priority,
    heddle_enqueue.thread_demand,
    least_threads,
    CASE WHEN due > submitted THEN 'SCHEDULED'::job_state ELSE 'QUEUED'::job_state END,
    CASE
      WHEN known.fair_share THEN heddle_parked_rank(heddle_enqueue.priority, submitted, known.aging_ms)
      ELSE coalesce(date_part('epoch', submitted) * 1000 - heddle_enqueue.priority * known.aging_ms, -heddle_enqueue.priority)
    END,
    coalesce(heddle_enqueue.max_attempts, known.max_attempts),
    known.backoff,
    coalesce(heddle_enqueue.timeout_ms, known.timeout_ms),
    heddle_enqueue.payload,
    submitted,
    due,
    heddle_enqueue.expected_ms,
    ceil(log(2, octet_length(heddle_enqueue.payload::text) + 1)),
    CASE WHEN known.parallel AND coalesce(heddle_enqueue.min_threads, heddle_enqueue.max_threads) IS NOT NULL
      THEN coalesce(heddle_enqueue.max_threads, heddle_enqueue.thread_demand) END,
    CASE WHEN known.fair_share THEN coalesce(heddle_enqueue.fairness_key, '') ELSE nullif(heddle_enqueue.fairness_key, '') END,
    CASE WHEN known.fair_share THEN least_threads * coalesce(heddle_enqueue.expected_ms, 100) END
  );
  PERFORM pg_notify('heddle_wake', '');
  RETURN new_id;
END
$$;
