-- LZ4 compresses payloads and results in a fraction of PostgreSQL's usual time, and takes them apart again in
-- one. Servers from version 14 on have it where they were built with it; the embedded one was not. What is
-- stored already stays as it is and can be read as before.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE "job" ALTER COLUMN "payload" SET COMPRESSION lz4';
  EXECUTE 'ALTER TABLE "job_history" ALTER COLUMN "payload" SET COMPRESSION lz4, ALTER COLUMN "result" SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported OR syntax_error THEN
  NULL;
END
$$;
