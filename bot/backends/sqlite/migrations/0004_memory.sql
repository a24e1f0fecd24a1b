-- What was said earlier in a memory, in fewer words. It covers the lines from `first` to `last`, and
-- goes with the first of them that is deleted or changed: it is made anew from what is left.
create table summaries (
  memory text primary key, epoch integer not null,
  first integer not null, last integer not null,
  text text not null, tokens integer not null, model text not null, at real not null
) without rowid;
create trigger summaries_go after delete on lines begin
  delete from summaries where memory = old.memory and old.id between first and last;
end;
create trigger summaries_change after update of text on lines begin
  delete from summaries where memory = old.memory and old.id between first and last;
end;

-- Lines as vectors, for memories that find older lines again by their meaning.
create table line_vectors (
  line integer not null, embedder text not null, vector blob not null,
  primary key (line, embedder)
) without rowid;
create trigger line_vectors_go after delete on lines begin
  delete from line_vectors where line = old.id;
end;
create trigger line_vectors_change after update of text on lines begin
  delete from line_vectors where line = old.id;
end;

-- What a person wants to be known about them, and where it may be used: in their direct messages
-- (the lane of the chat), or in one channel.
create table known_facts (
  id integer primary key autoincrement,
  person text not null, lane text not null, private integer not null,
  text text not null, at real not null
);
create index known_facts_of on known_facts (person);
