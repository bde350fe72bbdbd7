"""/portal/{organization slug}: pages on which buyers look after what is theirs."""
