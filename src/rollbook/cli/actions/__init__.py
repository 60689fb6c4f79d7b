"""What the subcommands do; ``rollbook.cli.commands`` says why this is apart from their options."""
