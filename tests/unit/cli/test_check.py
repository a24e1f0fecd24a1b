"""`parley check`: what is missing, and what a platform cannot do."""

from click.testing import CliRunner

from bot.cli import main

CONFIG = """
[models.main]
kind = "openai"
model = "m"
base_url = "http://127.0.0.1:1/v1"
[adapters.telegram]
enabled = true
[adapters.slack]
enabled = true
[moderation]
provider = "openai"
"""
TOKENS = {
    "TELEGRAM_BOT_TOKEN": f"123456789:{'a' * 35}",
    "SLACK_BOT_TOKEN": "xoxb-1-2-abc",
    "SLACK_APP_TOKEN": "xapp-1-A1-2-abc",
}
GROUPS = (
    "Note: moderation: telegram cannot tell something to one person in a group, so everybody there sees "
    "that a message was not answered"
)


def check(folder, text, **variables):
    path = folder / "config.toml"
    path.write_text(text)
    variables = {**TOKENS, "OPENAI_API_KEY": None, **variables}
    said = CliRunner(env=variables).invoke(main, ["check", "--config", str(path)])
    return said.exit_code, said.output.splitlines()


def test_the_key_of_the_moderation_endpoint_is_looked_for(tmp_path):
    code, lines = check(tmp_path, CONFIG)

    assert code == 2
    assert lines[-1] == (
        "moderation.api_key_env: the variable OPENAI_API_KEY is not set; put the key into it, or "
        "set moderation.base_url for a server without keys"
    )


def test_what_a_platform_cannot_do_is_said_and_is_no_problem(tmp_path):
    code, lines = check(tmp_path, CONFIG, OPENAI_API_KEY="sk-plausible-key-0123456789")

    assert (code, lines) == (0, [GROUPS, f"{tmp_path / 'config.toml'} is fine."])


def test_without_moderation_nothing_is_said(tmp_path):
    text = CONFIG.replace('"openai"\n', '"none"\n').replace('kind = "none"', 'kind = "openai"')

    assert check(tmp_path, text) == (0, [f"{tmp_path / 'config.toml'} is fine."])


def test_a_memory_larger_than_what_a_model_takes_is_told_and_works(tmp_path):
    small = CONFIG.replace('model = "m"', 'model = "m"\ncontext_tokens = 2048')
    code, lines = check(tmp_path, small, OPENAI_API_KEY="k")
    assert code == 0
    assert (
        "Note: memory.max_tokens: 4000 tokens do not fit into models.main, which takes 2048; it is shown less"
        in lines
    )
    _, lines = check(tmp_path, CONFIG, OPENAI_API_KEY="k")
    assert "memory.max_tokens" not in "".join(lines)


def test_a_summary_that_no_model_could_write_is_told_and_works(tmp_path):
    summed = f'{CONFIG}[memory]\nkind = "summary"\n'
    quoting = '[models.quotes]\nkind = "documents"\n'
    told = "Note: memory: models.quotes cannot sum up; kind summary shows the newest lines only"
    wanted = f'{summed}summary_model = "quotes"\n{quoting}[chat]\nmodel = "main"\n'
    code, lines = check(tmp_path, wanted, OPENAI_API_KEY="k")
    assert code == 0
    assert told in lines
    chosen = f'{summed}{quoting}[chat]\nmodel = "quotes"\n'
    assert told in check(tmp_path, chosen, OPENAI_API_KEY="k")[1]
    fine = f'{summed}{quoting}[chat]\nmodel = "main"\n'
    assert "sum up" not in "".join(check(tmp_path, fine, OPENAI_API_KEY="k")[1])
    one = f'{fine}[channels."slack:T012:C345"]\nmodel = "quotes"\n'
    place = 'channels."slack:T012:C345"'
    assert told.replace("memory", place, 1) in check(tmp_path, one, OPENAI_API_KEY="k")[1]


def test_recall_without_an_embedder_is_told_and_works(tmp_path):
    recalled = f'{CONFIG}[memory]\nkind = "recall"\n'
    code, lines = check(tmp_path, recalled, OPENAI_API_KEY="k")
    assert code == 0
    assert any(
        line.startswith("Note: memory: kind recall finds older lines by their words alone")
        for line in lines
    )
    vectors = '[models.vectors]\nkind = "openai"\nmodel = "e"\nbase_url = "http://127.0.0.1:1/v1"\n'
    meant = f'{recalled}{vectors}[knowledge]\nembedder = "vectors"\n[chat]\nmodel = "main"\n'
    code, lines = check(tmp_path, meant, OPENAI_API_KEY="k")
    assert code == 0
    assert "words alone" not in "".join(lines)


def test_documents_that_are_not_there_are_a_problem(tmp_path):
    text = CONFIG.replace('provider = "openai"', 'provider = "none"')
    handbook = f'[models.handbook]\nkind = "documents"\ndocuments = "{tmp_path}/handbook"\n'
    text += f'[chat]\nmodel = "main"\nfallbacks = ["handbook"]\n{handbook}'

    said = f"models.handbook.documents: no Markdown text in {tmp_path}/handbook; "
    said += "name a .md file or a folder"
    assert check(tmp_path, text) == (2, [said])
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "a.pdf").write_text("%PDF-1.7")
    assert check(tmp_path, text) == (2, [said])
    (tmp_path / "handbook" / "a.md").write_text("# Hats\nOf straw.")
    assert check(tmp_path, text)[0] == 0


def test_a_demo_that_strangers_would_be_quoted_is_told(tmp_path):
    data = tmp_path / "data"
    text = f'data_dir = "{data}"\n[models.main]\nkind = "documents"\n[adapters.telegram]\nenabled = true\n'
    (tmp_path / "faq.md").write_text("Hello.")

    code, (note, fine) = check(tmp_path, text)
    assert note.startswith(
        "Note: models.main quotes the handbook of Lisa's Boutique, a demo, until "
    )
    assert (code, fine) == (0, f"{tmp_path / 'config.toml'} is fine.")

    add = ["knowledge", "add", str(tmp_path / "faq.md"), "--config", str(tmp_path / "config.toml")]
    assert CliRunner().invoke(main, add).exit_code == 0
    assert check(tmp_path, text) == (0, [fine])
