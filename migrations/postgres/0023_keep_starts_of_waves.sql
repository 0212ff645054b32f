-- Limits of a wave beside its pace: mails a second to one receiving system, and tries a day (UTC).
ALTER TABLE waves ADD COLUMN pace_per_system BIGINT;
ALTER TABLE waves ADD COLUMN per_day BIGINT;

-- Up to when the starts of a wave's mails are given out to hosts. A start that nobody took is lost, never given twice.
CREATE TABLE starts (
    wave_id   TEXT COLLATE "C" NOT NULL REFERENCES waves (id),
    system    TEXT COLLATE "C" NOT NULL, -- a receiving system; empty: the wave as a whole
    next_at   BIGINT NOT NULL, -- the earliest start that is free (real time)
    day       BIGINT NOT NULL, -- days since 1970 (UTC) whose starts are counted; 0: not counted
    day_count BIGINT NOT NULL,
    PRIMARY KEY (wave_id, system)
);

-- Which receiving system takes the mail of a domain: the family of its mail servers. The same for all hosts.
CREATE TABLE receiving_systems (
    domain    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    system    TEXT COLLATE "C" NOT NULL,
    looked_at BIGINT NOT NULL  -- real time
);
