"""The update job: process a student file from receiving it to mailing the results."""
