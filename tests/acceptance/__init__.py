"""The installed program against whole fake platforms: started, killed, started again."""
