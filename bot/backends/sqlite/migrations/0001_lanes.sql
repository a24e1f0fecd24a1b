-- Events that concern the bot, in the order in which they came. A closed row keeps its id for
-- de-duplication; its payload is gone.
create table inbox (
  id integer primary key autoincrement,    -- never used twice: a late write finds no stranger's row
  event text not null unique,              -- the platform's own name for the event
  lane text not null,                      -- platform:workspace:channel:thread
  memory text not null,
  epoch integer not null,                  -- of that memory, when the event was admitted
  message text not null default '',        -- the platform's message id, for edits and deletions
  payload text,
  state text not null default 'waiting',   -- waiting | done | declined | dead
  attempts integer not null default 0,
  started integer not null default 0,      -- an attempt has begun; counted at boot, after a kill
  not_before real not null default 0,
  at real not null,
  closed real
);
create index inbox_open on inbox (id) where payload is not null;
create index inbox_closed on inbox (closed) where closed is not null;

-- What a turn has journaled, until it is closed.
create table steps (
  turn integer not null, name text not null, value text not null,
  primary key (turn, name)
) without rowid;

-- The outbox: messages begun or sent for a turn, until it is closed.
create table parts (
  turn integer not null, part integer not null, ending integer not null, digest text not null,
  id text not null, at real not null,
  primary key (turn, part)
) without rowid;

-- Which of the platform's messages carry our answer to which event.
create table answers (
  lane text not null, message text not null, event text not null, at real not null,
  primary key (lane, message)
) without rowid;

create table memories (key text primary key, epoch integer not null) without rowid;
create table lines (
  id integer primary key,
  memory text not null, lane text not null, event text not null, message text not null,
  role text not null, person text not null, name text not null, text text not null,
  size integer not null, tokens integer, at real not null
);
create index lines_of_memory on lines (memory, id);
create index lines_of_event on lines (event);

create table ledger (
  id integer primary key,
  at real not null, person text not null, lane text not null, model text not null,
  input integer not null, output integer not null, estimated integer not null, cost real not null
);
create index ledger_of_person on ledger (person, at);
create index ledger_of_lane on ledger (lane, at);

create table joined (lane text primary key) without rowid;
create table overrides (
  lane text not null, name text not null, value text not null, primary key (lane, name)
) without rowid;
create table marks (
  platform text not null, channel text not null, message text not null,
  primary key (platform, channel)
) without rowid;
create table timers (
  event text primary key, due real not null, lane text not null, memory text not null,
  payload text not null
) without rowid;
