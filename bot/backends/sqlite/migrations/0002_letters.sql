-- Messages that were given up, kept for a while so that an operator can look and try again.
create table letters (
  id integer primary key,                  -- of the inbox row
  payload text not null,
  reason text not null,                    -- for the operator; never the person's words
  attempts integer not null,
  at real not null
);

-- A message that was taken together with a later one names the row of that one.
alter table inbox add column merged integer;
create index inbox_merged on inbox (merged) where merged is not null;

-- How often an open row was changed while it ran: a turn that ends with an older count runs again.
alter table inbox add column revision integer not null default 0;

-- The ids of lines are never used twice: whoever kept what it read must not take a new line for a
-- deleted one.
create table kept_lines (
  id integer primary key autoincrement,
  memory text not null, lane text not null, event text not null, message text not null,
  role text not null, person text not null, name text not null, text text not null,
  size integer not null, tokens integer, at real not null
);
insert into kept_lines select * from lines;
drop table lines;
alter table kept_lines rename to lines;
create index lines_of_memory on lines (memory, id);
create index lines_of_event on lines (event);

-- Edits and deletions find lines and answers by their message, in however long a history.
create index lines_of_message on lines (lane, message);
create index inbox_of_message on inbox (lane, message);
create index answers_of_event on answers (event);

-- Conversations that got another name, as when a Telegram group becomes a supergroup.
create table moves (lane text primary key, moved text not null) without rowid;
