-- AlterTable
ALTER TABLE "job" ADD COLUMN     "expected_ms" INTEGER,
ADD COLUMN     "max_threads" INTEGER,
ADD COLUMN     "size_class" SMALLINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "job_history" ADD COLUMN     "expected_ms" INTEGER,
ADD COLUMN     "max_threads" INTEGER,
ADD COLUMN     "size_class" SMALLINT NOT NULL DEFAULT 0;

-- What follows has no words in schema.prisma: the same function with the new columns.

DROP FUNCTION "heddle_enqueue"(text, json, text, integer, integer, timestamptz, integer, integer, text);

-- Puts a job in the queue inside the caller's own transaction: it exists if and only if that commits,
-- and the nodes wake then. Returns the job's id; for a key used before, the first job's.
--   SELECT heddle_enqueue('add_numbers', '{"a": 13, "b": 42}');
--   SELECT heddle_enqueue('report', '{}', run_at => now() + interval '1 hour', idempotency_key => 'report-7');
-- A job that can run on any number of threads in a range names it by min_threads and max_threads around
-- thread_demand, the number it prefers; expected_ms helps to plan while nothing is learnt of its run time.
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
  max_threads integer DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  known job_type;
  new_id uuid := heddle_job_id();
  submitted timestamptz := clock_timestamp();
  due timestamptz := greatest(submitted, heddle_enqueue.run_at);
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
    payload, created_at, run_at, expected_ms, size_class, max_threads
  ) VALUES (
    new_id,
    coalesce(heddle_enqueue.name, heddle_enqueue.type),
    heddle_enqueue.type,
    heddle_enqueue.priority,
    heddle_enqueue.thread_demand,
    CASE WHEN known.parallel THEN coalesce(heddle_enqueue.min_threads,
      CASE WHEN heddle_enqueue.max_threads IS NULL THEN heddle_enqueue.thread_demand ELSE 1 END) ELSE 1 END,
    CASE WHEN due > submitted THEN 'SCHEDULED'::job_state ELSE 'QUEUED'::job_state END,
    coalesce(date_part('epoch', submitted) * 1000 - heddle_enqueue.priority * known.aging_ms, -heddle_enqueue.priority),
    coalesce(heddle_enqueue.max_attempts, known.max_attempts),
    known.backoff,
    coalesce(heddle_enqueue.timeout_ms, known.timeout_ms),
    heddle_enqueue.payload,
    submitted,
    due,
    heddle_enqueue.expected_ms,
    ceil(log(2, octet_length(heddle_enqueue.payload::text) + 1)),
    CASE WHEN known.parallel AND coalesce(heddle_enqueue.min_threads, heddle_enqueue.max_threads) IS NOT NULL
      THEN coalesce(heddle_enqueue.max_threads, heddle_enqueue.thread_demand) END
  );
  PERFORM pg_notify('heddle_wake', '');
  RETURN new_id;
END
$$;
