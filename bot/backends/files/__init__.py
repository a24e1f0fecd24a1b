"""Files from strangers: fetched by one guarded downloader, parsed in a process of their own."""
