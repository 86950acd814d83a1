"""Taking over orders from another shop's files, through the rules that the admin follows."""
