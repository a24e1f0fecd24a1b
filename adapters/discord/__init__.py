"""Discord: gateway events in, messages out, on discord.py.

The life of a message: `gateway` keeps one connection and hands each raw payload to `receiver`,
`inbound` turns it into an event (no I/O), `lanes` hands the events of a channel to the core one
after another, `missed` and `backfill` find and read what was said while nobody listened. Outward,
`sender` shows a reply through `session`, which owns the one logged-in client. `import discord` in
here gives the SDK: never put the folder `adapters` itself on `sys.path`.
"""
