-- CreateEnum
CREATE TYPE "job_state" AS ENUM ('SCHEDULED', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED');

-- CreateTable
CREATE TABLE "job" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "thread_demand" INTEGER NOT NULL,
    "gang" INTEGER NOT NULL,
    "width" INTEGER,
    "width_reason" TEXT,
    "state" "job_state" NOT NULL,
    "rank" DOUBLE PRECISION NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL,
    "backoff" JSON NOT NULL,
    "timeout_ms" INTEGER,
    "attempts" JSON NOT NULL DEFAULT '[]',
    "payload" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "run_at" TIMESTAMPTZ(6) NOT NULL,
    "started_at" TIMESTAMPTZ(6),
    "node_id" UUID,
    "worker_name" TEXT,
    "cancel_requested_at" TIMESTAMPTZ(6),

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_history" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "thread_demand" INTEGER NOT NULL,
    "gang" INTEGER NOT NULL,
    "width" INTEGER,
    "width_reason" TEXT,
    "state" "job_state" NOT NULL,
    "rank" DOUBLE PRECISION NOT NULL,
    "attempt" INTEGER NOT NULL,
    "max_attempts" INTEGER NOT NULL,
    "backoff" JSON NOT NULL,
    "timeout_ms" INTEGER,
    "attempts" JSON NOT NULL,
    "payload" JSON NOT NULL,
    "result" JSON,
    "error" JSON,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "run_at" TIMESTAMPTZ(6) NOT NULL,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6) NOT NULL,
    "node_id" UUID,
    "worker_name" TEXT,
    "queue_time_ms" DOUBLE PRECISION,
    "execution_time_ms" DOUBLE PRECISION,
    "total_time_ms" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "job_history_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "node" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "roles" TEXT[],
    "workers" JSON NOT NULL,
    "max_threads" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "heartbeat_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "node_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "key" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "metric_minute" (
    "minute" TIMESTAMPTZ(6) NOT NULL,
    "type" TEXT NOT NULL,
    "completed" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,
    "cancelled" INTEGER NOT NULL,
    "queue_time_ms" DOUBLE PRECISION NOT NULL,
    "execution_time_ms" DOUBLE PRECISION NOT NULL,
    "total_time_ms" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "metric_minute_pkey" PRIMARY KEY ("minute","type")
);

-- CreateTable
CREATE TABLE "job_type" (
    "type" TEXT NOT NULL,
    "parallel" BOOLEAN NOT NULL,
    "timeout_ms" INTEGER,
    "max_attempts" INTEGER NOT NULL,
    "backoff" JSON NOT NULL,
    "aging_ms" DOUBLE PRECISION,

    CONSTRAINT "job_type_pkey" PRIMARY KEY ("type")
);

-- CreateIndex
CREATE INDEX "job_history_finished_at_id_idx" ON "job_history"("finished_at", "id");

-- CreateIndex
CREATE INDEX "job_history_type_finished_at_id_idx" ON "job_history"("type", "finished_at", "id");

-- CreateIndex
CREATE INDEX "idempotency_key_job_id_idx" ON "idempotency_key"("job_id");

-- What follows has no words in schema.prisma.

-- peek: the best-ranked queued jobs, in order, with no sort
CREATE INDEX "job_queued" ON "job" ("rank", "id") WHERE "state" = 'QUEUED';

-- promote: delayed jobs and retries whose time has come, and when the next one's will
CREATE INDEX "job_scheduled" ON "job" ("run_at") WHERE "state" = 'SCHEDULED';

-- heartbeat, rescue, and the list of what runs: few rows, whatever the length of the queue
CREATE INDEX "job_running" ON "job" ("node_id") WHERE "state" = 'RUNNING';

-- history pages of failed or cancelled jobs, which are few among many completed ones
CREATE INDEX "job_history_not_completed" ON "job_history" ("state", "finished_at", "id") WHERE "state" <> 'COMPLETED';

-- Every job leaves three dead rows behind: collect them by the thousand, not by the fifth of the table.
ALTER TABLE "job" SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE "job_history" SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- UUIDv7 like the nodes' own: ids sort by submission.
CREATE FUNCTION "heddle_job_id"() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send(floor(date_part('epoch', clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;

-- Puts a job in the queue inside the caller's own transaction: it exists if and only if that commits,
-- and the nodes wake then. Returns the job's id; for a key used before, the first job's.
--   SELECT heddle_enqueue('add_numbers', '{"a": 13, "b": 42}');
--   SELECT heddle_enqueue('report', '{}', run_at => now() + interval '1 hour', idempotency_key => 'report-7');
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
  idempotency_key text DEFAULT NULL
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
    payload, created_at, run_at
  ) VALUES (
    new_id,
    coalesce(heddle_enqueue.name, heddle_enqueue.type),
    heddle_enqueue.type,
    heddle_enqueue.priority,
    heddle_enqueue.thread_demand,
    CASE WHEN known.parallel THEN heddle_enqueue.thread_demand ELSE 1 END,
    CASE WHEN due > submitted THEN 'SCHEDULED'::job_state ELSE 'QUEUED'::job_state END,
    coalesce(date_part('epoch', submitted) * 1000 - heddle_enqueue.priority * known.aging_ms, -heddle_enqueue.priority),
    coalesce(heddle_enqueue.max_attempts, known.max_attempts),
    known.backoff,
    coalesce(heddle_enqueue.timeout_ms, known.timeout_ms),
    heddle_enqueue.payload,
    submitted,
    due
  );
  PERFORM pg_notify('heddle_wake', '');
  RETURN new_id;
END
$$;
