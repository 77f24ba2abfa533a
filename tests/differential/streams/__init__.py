"""What the streams of the differential test are drawn from: a file for each noun of the commands."""
