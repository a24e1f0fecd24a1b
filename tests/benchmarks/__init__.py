"""How fast the installed program is, beside the smallest bots that the same SDKs allow."""
