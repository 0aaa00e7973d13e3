-- What the server itself holds to, whatever program is connected: who acts, which moves are legal, that every
-- change has its entry in the journal, and that the journal is chained. Run by the owner; may be run again.
--
-- jw_owner owns the tables and is asked nothing (migrations, adoption, restoring). Everybody else is one
-- person with a login of the same name as the account; what he or she may do is what the roles say.

CREATE OR REPLACE FUNCTION jw_is_owner() RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT pg_has_role(session_user, 'jw_owner', 'MEMBER') $$;

CREATE OR REPLACE FUNCTION jw_account() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM account WHERE login = session_user AND active
$$;

CREATE OR REPLACE FUNCTION jw_may(permission text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT permission IN ('undo', 'people.self') OR EXISTS (
        SELECT FROM account a
        JOIN account_role ar ON ar.account_id = a.id
        JOIN role r ON r.id = ar.role_id
        WHERE a.login = session_user AND a.active
          AND (jsonb_exists(r.permissions::jsonb, permission) OR jsonb_exists(r.permissions::jsonb, '*'))
    )
$$;

CREATE OR REPLACE FUNCTION jw_now_ms() RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

CREATE OR REPLACE FUNCTION jw_refuse(code text, words text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- JW001 is how the program knows a refusal of the server from a fault of its own.
    RAISE EXCEPTION USING ERRCODE = 'JW001', MESSAGE = words, HINT = code;
END $$;

-- The server itself checks passwords; a hash in a table would only be something to steal.
CREATE OR REPLACE FUNCTION jw_blank_password() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.password_hash := '';
    RETURN NEW;
END $$;

-- What this transaction has written so far: one row a statement. Nobody but the triggers sees it.
CREATE UNLOGGED TABLE IF NOT EXISTS jw_written (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    operation text NOT NULL,
    relation text NOT NULL,
    ids bigint[] NOT NULL
);
CREATE INDEX IF NOT EXISTS jw_written_xid ON jw_written (xid);

-- Moves that the table of transitions does not allow to this person; only undoing can still justify them.
CREATE UNLOGGED TABLE IF NOT EXISTS jw_doubtful (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    case_id bigint NOT NULL,
    was text NOT NULL,
    is_now text NOT NULL
);
CREATE INDEX IF NOT EXISTS jw_doubtful_xid ON jw_doubtful (xid);

-- Which permission each command needs, and which of several each table: filled by the set-up from the program.
CREATE TABLE IF NOT EXISTS jw_command (name text PRIMARY KEY, permission text NOT NULL);
CREATE TABLE IF NOT EXISTS jw_table (relation text NOT NULL, permission text NOT NULL, PRIMARY KEY (relation, permission));

CREATE OR REPLACE FUNCTION jw_note_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found bigint[];
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(id) INTO found FROM changed;
    IF found IS NOT NULL THEN
        INSERT INTO jw_written (operation, relation, ids) VALUES (left(TG_OP, 1), TG_TABLE_NAME, found);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_note_moves() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM was JOIN changed USING (id) WHERE was.number <> changed.number) THEN
        PERFORM jw_refuse('number_fixed', 'The number of a case never changes.');
    END IF;
    INSERT INTO jw_doubtful (case_id, was, is_now)
    SELECT changed.id, was.state, changed.state
    FROM was JOIN changed USING (id)
    WHERE was.state <> changed.state AND NOT EXISTS (
        SELECT FROM transition t
        WHERE t.edition = (SELECT max(edition) FROM transition)
          AND t.from_state = was.state
          AND (t.to_state = changed.state
               OR t.to_state = 'previous' AND EXISTS (
                   SELECT FROM case_step s WHERE s.case_id = changed.id AND s.from_state = changed.state))
          AND (jw_may(t.permission)
               OR t.verb = 'resume' AND EXISTS (
                   SELECT FROM case_request q
                   WHERE q.case_id = changed.id AND q.kind = 'suspend' AND q.state = 'granted'
                     AND q.until <= jw_now_ms()))
    );
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_note_new_cases() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    INSERT INTO jw_doubtful (case_id, was, is_now)
    SELECT changed.id, '', changed.state
    FROM changed
    WHERE NOT jw_may('import.run') AND NOT EXISTS (
        SELECT FROM transition t
        WHERE t.edition = (SELECT max(edition) FROM transition)
          AND t.from_state = '' AND t.to_state = changed.state AND jw_may(t.permission)
    );
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_check_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT FROM changed
        WHERE actor_id <> 0 AND (actor_id <> jw_account() OR actor_name <> (
            SELECT p.name FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = jw_account()))
    ) THEN
        PERFORM jw_refuse('another_name', 'A step can be taken only in one''s own name.');
    END IF;
    RETURN NULL;
END $$;

-- The seal of an entry: the same bytes as db/engine/journal.py makes.
CREATE OR REPLACE FUNCTION jw_seal(entry journal) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(entry.previous || convert_to(
        '[' || entry.seq || ',' || entry.at || ',' || entry.actor_id || ',' || to_json(entry.actor_name)::text
        || ',' || entry.station || ',' || to_json(entry.command::text)::text || ','
        || coalesce(entry.undoes::text, 'null')
        || coalesce(',' || entry.operation::text, '') || ']' || E'\n'
        || entry.arguments || E'\n' || entry.changes || E'\n' || coalesce(entry.touched, 'null') || E'\n',
        'UTF8'))
$$;

CREATE OR REPLACE FUNCTION jw_stamp_entry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.received_at := jw_now_ms();
    RETURN NEW;
END $$;

-- All entries of a statement at once: a station that was away brings hundreds in one transaction.
CREATE OR REPLACE FUNCTION jw_check_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head journal_head%ROWTYPE;
    breach record;
    oldest bigint;
    name_of_mine text;
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    SELECT * INTO head FROM journal_head FOR UPDATE;
    SELECT p.name INTO name_of_mine FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = jw_account();
    IF EXISTS (
        SELECT FROM (
            SELECT seq, previous, row_number() OVER in_order AS place,
                   lag(hash, 1, head.hash) OVER in_order AS before
            FROM entered WINDOW in_order AS (ORDER BY seq)
        ) e
        WHERE e.seq <> head.seq + e.place OR e.previous <> e.before
    ) THEN
        PERFORM jw_refuse('unchained', 'The entry does not follow the last one of the journal.');
    END IF;
    IF EXISTS (SELECT FROM entered e WHERE e.hash IS DISTINCT FROM jw_seal(ROW(e.*)::journal)) THEN
        PERFORM jw_refuse('bad_seal', 'The seal of the entry is not right.');
    END IF;
    SELECT e.command INTO breach FROM entered e
    WHERE NOT EXISTS (SELECT FROM jw_command c WHERE c.name = e.command) LIMIT 1;
    IF FOUND THEN
        PERFORM jw_refuse('unknown_command', format('The server does not know the command %s.', breach.command));
    END IF;
    -- What time does of itself may be written down by whoever notices first.
    IF EXISTS (
        SELECT FROM entered e
        WHERE CASE WHEN e.actor_id = 0 THEN e.command <> 'case.resume_due'
              ELSE e.actor_id IS DISTINCT FROM jw_account() OR e.actor_name IS DISTINCT FROM name_of_mine END
    ) THEN
        PERFORM jw_refuse('another_name', 'An act can be recorded only in one''s own name.');
    END IF;
    SELECT c.name INTO breach FROM jw_command c
    WHERE c.name IN (SELECT e.command FROM entered e WHERE e.actor_id <> 0) AND NOT jw_may(c.permission) LIMIT 1;
    IF FOUND THEN
        PERFORM jw_refuse('not_permitted', format('%s may not do this: %s.', name_of_mine, breach.name));
    END IF;
    SELECT e.command INTO breach FROM entered e WHERE e.touched IS NULL LIMIT 1;
    IF FOUND AND NOT jw_may('import.run') THEN
        PERFORM jw_refuse('not_permitted', format('%s may not do this: %s.', name_of_mine, breach.command));
    END IF;
    SELECT coalesce((SELECT value::bigint FROM setting WHERE key = 'sync.oldest_days'), 14) INTO oldest;
    IF EXISTS (
        SELECT FROM entered e WHERE e.at > e.received_at + 5000 OR e.at < e.received_at - oldest * 86400000
    ) THEN
        PERFORM jw_refuse('bad_moment', 'The moment of the act lies in the future or too far back.');
    END IF;
    IF NOT jw_may('undo.any') AND EXISTS (
        SELECT FROM entered e
        WHERE e.undoes IS NOT NULL
          AND NOT EXISTS (SELECT FROM journal j WHERE j.seq = e.undoes AND j.actor_id = e.actor_id)
    ) THEN
        PERFORM jw_refuse('not_yours', 'Only the person who did it can undo this.');
    END IF;
    INSERT INTO jw_written (operation, relation, ids)
    SELECT 'J', 'journal', array_agg(seq) FROM entered HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_check_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Entries that stand in the journal follow one another: it is enough that the new head is a later one.
    IF NOT jw_is_owner() AND (
        NEW.id <> OLD.id OR NEW.last_id < OLD.last_id
        OR (NEW.seq, NEW.hash) IS DISTINCT FROM (OLD.seq, OLD.hash) AND NOT EXISTS (
            SELECT FROM journal WHERE seq = NEW.seq AND hash = NEW.hash AND seq > OLD.seq)
    ) THEN
        PERFORM jw_refuse('unchained', 'The head of the journal moves only with an entry.');
    END IF;
    RETURN NEW;
END $$;

-- At the commit: what was written and what the journal tells must be the same rows, and every doubtful move
-- must be the undoing of the move that led there.
CREATE OR REPLACE FUNCTION jw_settle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    entries bigint[];
    breach record;
    mine constant xid8 := pg_current_xact_id();
BEGIN
    IF NOT EXISTS (SELECT FROM jw_written WHERE xid = mine) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(id) INTO entries FROM jw_written w, unnest(w.ids) id
    WHERE w.xid = mine AND w.operation = 'J';
    IF entries IS NOT NULL AND NOT EXISTS (
        SELECT FROM journal_head WHERE seq = (SELECT max(e) FROM unnest(entries) e)
    ) THEN
        PERFORM jw_refuse('unchained', 'The head of the journal was not moved.');
    END IF;
    WITH written AS (
        SELECT DISTINCT w.relation, id, w.operation
        FROM jw_written w, unnest(w.ids) id
        WHERE w.xid = mine AND w.operation <> 'J'
          -- A bulk load tells how many rows it added and their digest, not which.
          AND NOT (w.operation = 'I' AND EXISTS (
              SELECT FROM journal j WHERE j.seq = ANY (entries) AND j.touched IS NULL))
    ), done AS (
        -- What came and went in the same transaction never was.
        SELECT DISTINCT relation, id FROM written
        EXCEPT
        SELECT i.relation, i.id FROM written i JOIN written d USING (relation, id)
        WHERE i.operation = 'I' AND d.operation = 'D'
    ), told AS (
        SELECT DISTINCT t.key AS relation, e::bigint AS id
        FROM journal j, jsonb_each(j.touched::jsonb) t, jsonb_array_elements_text(t.value) e
        WHERE j.seq = ANY (entries) AND j.touched IS NOT NULL
    )
    SELECT * INTO breach FROM (
        (SELECT 'untold' AS fault, * FROM done EXCEPT SELECT 'untold', * FROM told)
        UNION ALL
        (SELECT 'undone', * FROM told EXCEPT SELECT 'undone', * FROM jw_written_ids(mine))
    ) faults
    LIMIT 1;
    IF FOUND AND breach.fault = 'untold' THEN
        PERFORM jw_refuse('unjournaled', format('%s was changed without an entry in the journal.', breach.relation));
    ELSIF FOUND AND breach.fault = 'undone' THEN
        PERFORM jw_refuse('untrue', format('The journal tells of a change of %s that was not made.', breach.relation));
    END IF;
    SELECT w.relation INTO breach FROM jw_written w JOIN jw_table t ON t.relation = w.relation
    WHERE w.xid = mine GROUP BY w.relation HAVING NOT bool_or(jw_may(t.permission)) LIMIT 1;
    IF FOUND THEN
        PERFORM jw_refuse('not_permitted', format('You may not change %s.', breach.relation));
    END IF;
    SELECT d.case_id, d.was, d.is_now INTO breach FROM jw_doubtful d
    WHERE d.xid = mine AND NOT EXISTS (
        SELECT FROM journal j JOIN journal u ON u.seq = j.undoes,
            jsonb_array_elements(u.changes::jsonb -> 'cases') c
        WHERE j.seq = ANY (entries)
          AND (c ->> 0)::bigint = d.case_id
          AND coalesce(c -> 1 -> 'state' ->> 0, '') = d.is_now AND coalesce(c -> 1 -> 'state' ->> 1, '') = d.was)
    LIMIT 1;
    IF FOUND THEN
        PERFORM jw_refuse('wrong_state', format('No move of yours leads from “%s” to “%s”.', breach.was, breach.is_now));
    END IF;
    DELETE FROM jw_doubtful WHERE xid = mine;
    DELETE FROM jw_written WHERE xid = mine;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_written_ids(mine xid8) RETURNS TABLE (relation text, id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT w.relation, i FROM jw_written w, unnest(w.ids) i WHERE w.xid = mine AND w.operation <> 'J'
$$;

-- A citizen's contact is read only by who has just said why, in the same transaction, or typed it in himself.
CREATE OR REPLACE FUNCTION jw_reveals(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jw_is_owner()
        OR jw_may('contact.view') AND EXISTS (
            SELECT FROM contact_view v
            WHERE v.case_id = wanted AND v.viewer_id = jw_account()
              AND v.xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text)
        OR EXISTS (
            SELECT FROM case_step s
            WHERE s.case_id = wanted AND s.from_state = '' AND s.actor_id = jw_account()
              AND s.at > jw_now_ms() - 86400000)
$$;

-- The contact as everybody at the desk may see it: 张*, 138****1234.
CREATE OR REPLACE FUNCTION jw_masked(wanted bigint) RETURNS TABLE (name text, phone text, wants_answer boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN r.name = '' THEN '' ELSE left(r.name, 1) || repeat('*', greatest(length(r.name) - 1, 1)) END,
           CASE WHEN length(r.phone) < 8 THEN repeat('*', length(r.phone))
                ELSE left(r.phone, 3) || repeat('*', length(r.phone) - 7) || right(r.phone, 4) END,
           r.wants_answer
    FROM reporter r WHERE r.case_id = wanted AND (jw_may('contact.masked') OR jw_may('contact.view'))
$$;

-- The keyed digest under which a private value enters the journal; the key itself never leaves the server.
CREATE OR REPLACE FUNCTION jw_digest(value text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    key bytea := convert_to((SELECT s.value FROM setting s WHERE s.key = 'journal.key'), 'UTF8');
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
    -- HMAC-SHA-256 (RFC 2104), so that no extension is needed.
    IF length(key) > 64 THEN
        key := sha256(key);
    END IF;
    FOR place IN 0 .. length(key) - 1 LOOP
        inner_pad := set_byte(inner_pad, place, get_byte(inner_pad, place) # get_byte(key, place));
        outer_pad := set_byte(outer_pad, place, get_byte(outer_pad, place) # get_byte(key, place));
    END LOOP;
    RETURN '#' || left(encode(sha256(outer_pad || sha256(inner_pad || convert_to(value, 'UTF8'))), 'hex'), 32);
END $$;

-- Which cases a person sees: all, or those that his or her scope names (kinds narrow, rows of a kind add up).
CREATE OR REPLACE FUNCTION jw_sees_all() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jw_is_owner()
        OR coalesce((SELECT value::boolean FROM setting WHERE key = 'scope.hides'), true) IS FALSE
        OR NOT EXISTS (SELECT FROM account_scope WHERE account_id = jw_account())
$$;

CREATE OR REPLACE FUNCTION jw_scope_areas() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE within AS (
        SELECT reference_id AS id FROM account_scope WHERE account_id = jw_account() AND kind = 'area'
        UNION
        SELECT a.id FROM area a JOIN within w ON a.parent_id = w.id WHERE a.kind <> 'cell'
    )
    SELECT array_agg(id) FROM within
$$;

CREATE OR REPLACE FUNCTION jw_scope_units() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE within AS (
        SELECT reference_id AS id FROM account_scope WHERE account_id = jw_account() AND kind = 'unit'
        UNION
        SELECT u.id FROM unit u JOIN within w ON u.parent_id = w.id
    )
    SELECT array_agg(id) FROM within
$$;

CREATE OR REPLACE FUNCTION jw_scope_classes() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT array_agg(c.id) FROM category c JOIN account_scope s
        ON s.account_id = jw_account() AND s.kind = 'category'
        AND c.kind || ' ' || c.code LIKE s.prefix || '%'
$$;

-- News: one row a commit. Its cursor is (xid, id), read below the oldest transaction that is still open, so
-- that nothing is skipped which commits late. The doorbell carries nothing.
CREATE TABLE IF NOT EXISTS news (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq bigint,
    operation bigint,
    -- {table: [id, …]} as in the journal; for a bulk load null, and the tables that it filled.
    touched text,
    anew text[],
    -- A table of telemetry.
    relation text
);
CREATE INDEX IF NOT EXISTS news_xid ON news (xid, id);

CREATE OR REPLACE FUNCTION jw_ring_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO news (seq, operation, touched, anew)
    SELECT e.seq, e.operation, e.touched, CASE WHEN e.touched IS NULL THEN (
        SELECT array_agg(rtrim(k, '*')) FROM jsonb_object_keys(e.changes::jsonb) k) END
    FROM entered e ORDER BY e.seq;
    PERFORM pg_notify('jingwei', '');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_ring_measured() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO news (relation) VALUES (TG_TABLE_NAME);
    PERFORM pg_notify('jingwei', '');
    RETURN NULL;
END $$;

-- The stations that share this server: their number in ids and case numbers, and how they stand.
CREATE TABLE IF NOT EXISTS station (
    number integer PRIMARY KEY,
    name text NOT NULL,
    token text NOT NULL UNIQUE,
    program text NOT NULL DEFAULT '',
    login text NOT NULL DEFAULT '',
    waiting integer NOT NULL DEFAULT 0,
    skew_ms bigint NOT NULL DEFAULT 0,
    behind_ms bigint NOT NULL DEFAULT 0,
    seen_at bigint NOT NULL
);

-- Photos by the digest of their bytes, in parts, so that a cut loses only one.
CREATE TABLE IF NOT EXISTS blob (
    sha256 text NOT NULL,
    part integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (sha256, part)
);
