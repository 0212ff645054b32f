-- Limits of a wave beside its pace: mails a second to one receiving system, and tries a day (UTC).
ALTER TABLE waves ADD COLUMN pace_per_system INTEGER;
ALTER TABLE waves ADD COLUMN per_day INTEGER;

-- Up to when the starts of a wave's mails are given out to hosts. A start that nobody took is lost, never given twice.
CREATE TABLE starts (
    wave_id   TEXT    NOT NULL REFERENCES waves (id),
    system    TEXT    NOT NULL, -- a receiving system; empty: the wave as a whole
    next_at   INTEGER NOT NULL, -- the earliest start that is free (real time)
    day       INTEGER NOT NULL, -- days since 1970 (UTC) whose starts are counted; 0: not counted
    day_count INTEGER NOT NULL,
    PRIMARY KEY (wave_id, system)
) STRICT, WITHOUT ROWID;

-- Which receiving system takes the mail of a domain: the family of its mail servers. The same for all hosts.
CREATE TABLE receiving_systems (
    domain    TEXT    NOT NULL PRIMARY KEY,
    system    TEXT    NOT NULL,
    looked_at INTEGER NOT NULL  -- real time
) STRICT, WITHOUT ROWID;
