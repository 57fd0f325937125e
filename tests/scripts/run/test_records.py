from gansearch.scripts.run.records import mask, secret_values


def test_values_of_secrets_are_masked_and_short_ones_are_left() -> None:
    values = secret_values({"WANDB_API_KEY": "abc-def-ghi", "HF_TOKEN": "hf_1234567", "HOME": "/home/me", "KEY": "no"})
    assert values == ["abc-def-ghi", "hf_1234567"]
    assert mask("no abc-def-ghi at /home/me, hf_1234567.", values) == "no *** at /home/me, ***."


def test_what_is_named_as_a_secret_is_masked_too() -> None:
    assert mask("--api_key=sesame", []) == "--api_key=***"
