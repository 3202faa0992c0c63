-- heartbeat: those of a node's running jobs that somebody wants stopped. Of "job_running" it had to look at all,
-- those that have ended since the last vacuum included: 200 ms where 25,000 had.
CREATE INDEX "job_cancelling" ON "job" ("node_id") WHERE "cancel_requested_at" IS NOT NULL;
