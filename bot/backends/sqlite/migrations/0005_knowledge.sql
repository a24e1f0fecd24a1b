-- Documents of the operator, and the passages that they are cut into.
create table documents (
  id integer primary key autoincrement,
  collection text not null, source text not null, title text not null, type text not null,
  digest text not null, owner text not null default '', review text not null default '',
  link text not null default '', at real not null,
  note text not null default '',           -- what is missing of it
  unique (collection, source)
);
create table passages (
  id integer primary key autoincrement,    -- never used twice: a citation finds no other text
  document integer not null references documents (id),
  number integer not null,                 -- its place in the document
  path text not null,                      -- JSON: the headings down to it
  text text not null, tokens integer not null
);
create index passages_of on passages (document, number);
create virtual table passage_words using fts5 (
  title, above, body, tokenize = 'porter unicode61 remove_diacritics 2'
);
create virtual table passage_terms using fts5vocab(passage_words, row);
create table passage_vectors (
  passage integer not null, embedder text not null, title blob not null, body blob not null,
  primary key (passage, embedder)
) without rowid;

-- Questions that no document answered. The person is kept so that what they wrote can be forgotten;
-- of an answered one only whose words became the heading of which document.
create table gaps (
  id integer primary key autoincrement,
  event text not null unique, lane text not null, person text not null, private integer not null,
  question text not null, at real not null,
  document integer                         -- null: nobody has answered it yet
);
create index gaps_of on gaps (person);
