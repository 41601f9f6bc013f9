"""Plain tools without product words: errors, ids, clock, paging, logs, paths, web plumbing."""
