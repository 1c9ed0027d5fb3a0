"""The form: made from the label schema, shows a review, says what the reviewer did."""
