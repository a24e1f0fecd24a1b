"""A guard that needs no key and no network: a lexicon and two linear models in the package.

A text is first read as a person would read it (`normalise`): look-alike letters, digits for
letters, spaced-out and stretched words. The lexicon then finds phrases by words, in five languages;
its severe half is beyond doubt and may be blocked. The linear models see what no list can name;
what they find is at most worth a look.
"""
