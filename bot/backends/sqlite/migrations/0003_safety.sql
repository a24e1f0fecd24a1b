-- Rights that were given in chat: a role for a person, or "member" for a place.
create table grants (
  subject text primary key,                -- platform:workspace:user, or a place pattern
  role text not null, given_by text not null, at real not null
) without rowid;

-- Strangers who wait to be let in.
create table pairings (
  code text primary key, person text not null unique, lane text not null, at real not null
) without rowid;

-- Small facts about this installation: its random keys, since when it moderates.
create table facts (name text primary key, value blob not null) without rowid;

-- What was decided, by whom; `seal` covers the line and the seal before it.
create table audit (
  id integer primary key autoincrement,
  at real not null, actor text not null, action text not null, subject text not null,
  place text not null, details text not null, seal blob not null
);
create index audit_of_subject on audit (subject);

-- The ledger knows for what was paid, and its persons are keyed hashes from here on. A held row is a
-- reservation: it counts until it is settled.
alter table ledger add column purpose text not null default 'answer';
alter table ledger add column messages integer not null default 0;
alter table ledger add column held integer not null default 0;
create index ledger_held on ledger (id) where held = 1;
drop index ledger_of_person;
drop index ledger_of_lane;

-- The sums of the ledger per account ("total", "person <hash>", "channel slack:T1:C1", …) and day
-- ("2026-11-29", UTC), from the upgrade on.
create table spent (
  account text not null, day text not null,
  tokens integer not null, usd real not null, messages integer not null,
  primary key (account, day)
) without rowid;
-- Limits that were set in chat; null: no limit, whatever the file says.
create table limits (
  scope text not null, unit text not null, period text not null, most real,
  primary key (scope, unit, period)
) without rowid;

-- What moderation has decided. `who` is a keyed hash; the person and the evidence are kept while a
-- case is open.
create table cases (
  id integer primary key autoincrement,
  event text not null, stage text not null, at real not null, who text not null,
  person text not null, lane text not null, message text not null, private integer not null,
  action text not null, findings text not null, evidence text not null,
  state text not null default 'open',      -- open | appealed | upheld | lifted | expired
  alert integer,                           -- the first case of the alert that told moderators of it
  closed real,
  unique (event, stage, action)
);
create index cases_of on cases (who, at);
create index cases_open on cases (alert) where closed is null;
-- When moderators were told last of a person.
create table alerted (who text primary key, at real not null) without rowid;
-- A strike falls with the case that gave it, a time-out with its strikes.
create table strikes (cause integer primary key, who text not null, at real not null);
create index strikes_of on strikes (who, at);
create table timeouts (
  who text primary key, began real not null, until real not null,
  spells integer not null,                 -- how many in a row: each is twice as long
  told integer not null default 0          -- whether the person was told in this one
) without rowid;

-- Who was told what is kept, by keyed hash; whose deletion is not finished, with the last inbox row
-- that may still be answered with their words in sight, and the row that asked for the deletion; who
-- was forgotten, so that nothing that they wrote before comes back by being read back.
create table noticed (who text primary key, at real not null) without rowid;
create table erasures (
  person text primary key, at real not null, last integer not null, spare integer not null
) without rowid;
create table erased (who text primary key, at real not null) without rowid;

-- Conversations that a person of the house has taken over.
create table handovers (
  id integer primary key autoincrement,
  lane text not null, person text not null, private integer not null,
  staff text not null,                     -- the staff's conversation
  state text not null default 'open',      -- open | closed
  at real not null, heard real not null,   -- when it began; when somebody last wrote
  question text not null
);
create index handovers_open on handovers (lane) where state = 'open';
