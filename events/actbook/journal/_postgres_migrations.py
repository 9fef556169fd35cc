"""SQL that brings a PostgreSQL schema from one version to the next. What a released version made is never changed here."""

from __future__ import annotations

# The lock is taken in a statement of its own: each statement of a function sees what was committed before it began, so that
# those behind the lock see everything that was appended. Positions follow each other without gaps, in the order of commits.
_FIRST = """
CREATE TABLE {schema}.meta(key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE {schema}.events(
  position bigint PRIMARY KEY,
  stream_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  topic text COLLATE "C" NOT NULL,
  event_id bytea NOT NULL,
  at bigint NOT NULL,
  hash bytea NOT NULL,
  state bytea NOT NULL,
  UNIQUE(stream_id, version)
);
ALTER TABLE {schema}.events ALTER COLUMN state SET STORAGE EXTERNAL;
CREATE TABLE {schema}.given_ids(event_id bytea PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE {schema}.unfinished(
  stream_id text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL,
  priority bigint NOT NULL DEFAULT 0,
  waits_on text COLLATE "C",
  waits_beyond bigint
);
CREATE TABLE {schema}.snapshots(
  stream_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  state bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY(stream_id, version)
);
CREATE TABLE {schema}.blobs(
  sha256 bytea PRIMARY KEY,
  size bigint NOT NULL,
  media_type text NOT NULL,
  data bytea NOT NULL
);
ALTER TABLE {schema}.blobs ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE {schema}.tracking(name text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE {schema}.deleted(upto bigint NOT NULL);
CREATE TABLE {schema}.owner(
  epoch bigint NOT NULL,
  worker_id text NOT NULL,
  pid bigint NOT NULL,
  started_at bigint NOT NULL
);
INSERT INTO {schema}.deleted VALUES(0);
INSERT INTO {schema}.owner VALUES(0, '', 0, 0);
CREATE FUNCTION {schema}.remember_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE {schema}.deleted SET upto = greatest(upto, (SELECT coalesce(max(position), 0) FROM gone));
  RETURN NULL;
END $$;
CREATE TRIGGER positions_are_never_reused AFTER DELETE ON {schema}.events
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION {schema}.remember_deleted();
CREATE FUNCTION {schema}.lock_log(p_fence bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_epoch bigint;
  v_last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock({append_lock}, {key});
  SELECT epoch, {last_position} INTO v_epoch, v_last FROM {schema}.owner;
  IF p_fence IS NOT NULL AND v_epoch IS DISTINCT FROM p_fence THEN
    RAISE EXCEPTION 'another process owns the journal since epoch %, this one did in epoch %', v_epoch, p_fence
      USING ERRCODE = 'AB001';
  END IF;
  RETURN v_last;
END $$;
CREATE FUNCTION {schema}.append(
  p_fence bigint, p_token text, p_streams text[], p_versions bigint[], p_topics text[], p_ids bytea[], p_ats bigint[],
  p_hashes bytea[], p_states bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_last bigint := {schema}.lock_log(p_fence);
BEGIN
  INSERT INTO {schema}.events SELECT v_last + n, stream, version, topic, id, at, hash, state
    FROM unnest(p_streams, p_versions, p_topics, p_ids, p_ats, p_hashes, p_states)
      WITH ORDINALITY AS t(stream, version, topic, id, at, hash, state, n);
  PERFORM pg_notify('{channel}', p_token);
  RETURN v_last + 1;
END $$;
CREATE FUNCTION {schema}.append_beside(
  p_first bigint, p_given bytea[], p_given_rows bigint[], p_opened text[], p_opened_rows bigint[], p_priorities bigint[],
  p_waits_on text[], p_waits_beyond bigint[], p_closed text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF p_given IS NOT NULL THEN
    INSERT INTO {schema}.given_ids SELECT id, p_first + r FROM unnest(p_given, p_given_rows) AS t(id, r);
  END IF;
  IF p_opened IS NOT NULL THEN
    INSERT INTO {schema}.unfinished SELECT stream, p_first + r, priority, waits_on, waits_beyond
      FROM unnest(p_opened, p_opened_rows, p_priorities, p_waits_on, p_waits_beyond)
        AS t(stream, r, priority, waits_on, waits_beyond)
      ON CONFLICT (stream_id) DO UPDATE
        SET priority = excluded.priority, waits_on = excluded.waits_on, waits_beyond = excluded.waits_beyond;
  END IF;
  IF p_closed IS NOT NULL THEN
    DELETE FROM {schema}.unfinished WHERE stream_id = ANY(p_closed);
  END IF;
  RETURN p_first;
END $$;
"""

# Who runs an execution is a row's `worker`; a worker is alive as long as it has a row of its own. The row goes away while
# nobody appends: what a worker wrote before is there when others look, and what it has not written by then is never written.
_SECOND = """
CREATE SEQUENCE {schema}.epochs;
CREATE TABLE {schema}.workers(
  epoch bigint PRIMARY KEY,
  worker_id text COLLATE "C" NOT NULL,
  host text NOT NULL,
  pid bigint NOT NULL,
  started_at bigint NOT NULL,
  renewed_at timestamptz NOT NULL,
  lease interval NOT NULL
);
ALTER TABLE {schema}.unfinished ADD COLUMN worker bigint;
CREATE INDEX unfinished_free ON {schema}.unfinished(priority DESC, position) WHERE worker IS NULL;
CREATE INDEX unfinished_taken ON {schema}.unfinished(worker) WHERE worker IS NOT NULL;
CREATE OR REPLACE FUNCTION {schema}.lock_log(p_fence bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock({append_lock}, {key});
  IF p_fence IS NOT NULL AND NOT EXISTS(SELECT 1 FROM {schema}.workers WHERE epoch = p_fence) THEN
    RAISE EXCEPTION 'worker % was taken for dead, and its executions were given to others', p_fence
      USING ERRCODE = 'AB001';
  END IF;
  SELECT {last_position} INTO v_last;
  RETURN v_last;
END $$;
DROP FUNCTION {schema}.append_beside(bigint, bytea[], bigint[], text[], bigint[], bigint[], text[], bigint[], text[]);
CREATE FUNCTION {schema}.append_beside(
  p_first bigint, p_fence bigint, p_given bytea[], p_given_rows bigint[], p_opened text[], p_opened_rows bigint[],
  p_priorities bigint[], p_waits_on text[], p_waits_beyond bigint[], p_claims boolean[], p_closed text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF p_given IS NOT NULL THEN
    INSERT INTO {schema}.given_ids SELECT id, p_first + r FROM unnest(p_given, p_given_rows) AS t(id, r);
  END IF;
  IF p_opened IS NOT NULL THEN
    INSERT INTO {schema}.unfinished AS u
      SELECT stream, p_first + r, priority, waits_on, waits_beyond, CASE WHEN claims THEN p_fence END
      FROM unnest(p_opened, p_opened_rows, p_priorities, p_waits_on, p_waits_beyond, p_claims)
        AS t(stream, r, priority, waits_on, waits_beyond, claims)
      ON CONFLICT (stream_id) DO UPDATE
        SET priority = excluded.priority, waits_on = excluded.waits_on, waits_beyond = excluded.waits_beyond,
          worker = CASE WHEN excluded.worker IS NOT NULL THEN excluded.worker
            WHEN excluded.waits_on IS NULL THEN u.worker END;
    IF p_claims IS NULL OR NOT (true = ALL(p_claims)) THEN
      PERFORM pg_notify('{channel}', 'free');
    END IF;
  END IF;
  IF p_closed IS NOT NULL THEN
    DELETE FROM {schema}.unfinished WHERE stream_id = ANY(p_closed);
  END IF;
  RETURN p_first;
END $$;
CREATE FUNCTION {schema}.claim(p_fence bigint, p_count bigint, p_among text[])
RETURNS TABLE(stream_id text, priority bigint, opened_at bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM 1 FROM {schema}.workers w WHERE w.epoch = p_fence FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'worker % was taken for dead, and its executions were given to others', p_fence
      USING ERRCODE = 'AB001';
  END IF;
  RETURN QUERY
    UPDATE {schema}.unfinished u SET worker = p_fence
    FROM (
      SELECT f.stream_id FROM {schema}.unfinished f
      WHERE f.worker IS NULL AND (p_among IS NULL OR f.stream_id = ANY(p_among)) AND (f.waits_on IS NULL OR EXISTS(
        SELECT 1 FROM {schema}.events e WHERE e.stream_id = f.waits_on AND e.version > f.waits_beyond))
      ORDER BY f.priority DESC, f.position LIMIT p_count FOR UPDATE SKIP LOCKED
    ) AS free
    WHERE u.stream_id = free.stream_id RETURNING u.stream_id, u.priority, u.position;
END $$;
CREATE FUNCTION {schema}.dismiss(p_epochs bigint[], p_expired bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_freed bigint;
BEGIN
  PERFORM pg_advisory_xact_lock({append_lock}, {key});
  DELETE FROM {schema}.workers WHERE epoch = ANY(p_epochs)
    OR (epoch = ANY(p_expired) AND clock_timestamp() > renewed_at + lease);
  UPDATE {schema}.unfinished SET worker = NULL
    WHERE worker IS NOT NULL AND worker NOT IN (SELECT epoch FROM {schema}.workers);
  GET DIAGNOSTICS v_freed = ROW_COUNT;
  PERFORM pg_notify('{channel}', 'free');
  RETURN v_freed;
END $$;
"""

# What is closed stays listed while its inbox holds news: whoever asked it to go on in that moment is not forgotten.
_THIRD = """
DROP FUNCTION {schema}.append_beside(
  bigint, bigint, bytea[], bigint[], text[], bigint[], bigint[], text[], bigint[], boolean[], text[]
);
CREATE FUNCTION {schema}.append_beside(
  p_first bigint, p_fence bigint, p_given bytea[], p_given_rows bigint[], p_opened text[], p_opened_rows bigint[],
  p_priorities bigint[], p_waits_on text[], p_waits_beyond bigint[], p_claims boolean[], p_closed text[],
  p_unless text[], p_beyond bigint[]
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF p_given IS NOT NULL THEN
    INSERT INTO {schema}.given_ids SELECT id, p_first + r FROM unnest(p_given, p_given_rows) AS t(id, r);
  END IF;
  IF p_opened IS NOT NULL THEN
    INSERT INTO {schema}.unfinished AS u
      SELECT stream, p_first + r, priority, waits_on, waits_beyond, CASE WHEN claims THEN p_fence END
      FROM unnest(p_opened, p_opened_rows, p_priorities, p_waits_on, p_waits_beyond, p_claims)
        AS t(stream, r, priority, waits_on, waits_beyond, claims)
      ON CONFLICT (stream_id) DO UPDATE
        SET priority = excluded.priority, waits_on = excluded.waits_on, waits_beyond = excluded.waits_beyond,
          worker = CASE WHEN excluded.worker IS NOT NULL THEN excluded.worker
            WHEN excluded.waits_on IS NULL THEN u.worker END;
    IF p_claims IS NULL OR NOT (true = ALL(p_claims)) THEN
      PERFORM pg_notify('{channel}', 'free');
    END IF;
  END IF;
  IF p_closed IS NOT NULL THEN
    DELETE FROM {schema}.unfinished u USING unnest(p_closed, p_unless, p_beyond) AS t(stream, unless, beyond)
      WHERE u.stream_id = t.stream
        AND NOT EXISTS(SELECT 1 FROM {schema}.events e WHERE e.stream_id = t.unless AND e.version > t.beyond);
    UPDATE {schema}.unfinished SET worker = NULL, waits_on = NULL, waits_beyond = NULL WHERE stream_id = ANY(p_closed);
    IF FOUND THEN
      PERFORM pg_notify('{channel}', 'free');
    END IF;
  END IF;
  RETURN p_first;
END $$;
"""

MIGRATIONS = (_FIRST, _SECOND, _THIRD)
"""Each brings a schema from the version that is its index to the next."""
