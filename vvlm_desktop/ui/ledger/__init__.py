"""What left this computer: the line in the status bar, and the page with every transmission and every consent."""
