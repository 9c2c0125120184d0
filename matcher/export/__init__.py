"""Files people take away: format-free layouts, and one writer for each format."""
